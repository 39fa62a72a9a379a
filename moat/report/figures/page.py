"""The rows of a picture that fit on a page of a paper, and a sentence about the others."""

from collections.abc import Sequence

PAGE_HEIGHT = 8.4
"""Inches that the rows of one picture may take; title, legend and caption come on top."""
_NAMED = 6


def on_a_page(names: Sequence[str], inches: float, what: str) -> tuple[int, str]:
    """Return how many rows of so many inches fit on a page, and a sentence about the others.

    The sentence starts with a space and is "" if all fit.

    Example:
        >>> on_a_page(["a", "b", "c"], 4.0, "models")
        (2, ' The picture has the first 2 of 3 models, the record all; not drawn: c.')
    """
    fit = min(len(names), max(1, int(PAGE_HEIGHT / inches)))
    return fit, not_drawn(names, fit, what)


def not_drawn(names: Sequence[str], fit: int, what: str) -> str:
    """Return the sentence about the names after the first few, "" if there are none."""
    others = list(names[fit:])
    if not others:
        return ""
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return (
        f" The picture has the first {fit} of {len(names)} {what}, the record all; "
        f"not drawn: {'; '.join(others[:_NAMED])}{more}."
    )
