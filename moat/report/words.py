"""How names stand in a sentence."""

from collections.abc import Sequence


def some(names: Sequence[str], shown: int = 3) -> str:
    """Return the first few names, and how many more there are.

    Example:
        >>> some(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
