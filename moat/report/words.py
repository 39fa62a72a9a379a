"""Names in a sentence."""

from collections.abc import Sequence


def some(names: Sequence[str], shown: int = 3) -> str:
    """Return the first few names, and how many more there are; names with commas are kept apart.

    Example:
        >>> some(["a", "b", "c", "d", "e"]), some(["a, seed 0", "b, seed 1"])
        ('a, b, c and 2 more', 'a, seed 0; b, seed 1')
    """
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return listing(names[:shown]) + rest


def listing(names: Sequence[str]) -> str:
    """Return all names, with semicolons between them where one has a comma itself."""
    return ("; " if any("," in name for name in names) else ", ").join(names)
