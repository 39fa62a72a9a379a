"""A table of text."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

STRONG, FAINT = "strong", "faint"
"""Emphasis of a row: stronger or fainter than the others."""


@dataclass(frozen=True)
class Sheet:
    """Headings and rows of text under a title, and notes that explain them.

    `sides` has a letter a column: l for text to the left, r for text to the right, n for numbers to
    the right that are never broken. `marks` has a warning for each column, "" for none;
    `emphasis` has "", "strong" or "faint" for each row; `sections` are the places of rows that a
    rule stands above. Marks and emphasis may be left out.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sides: str
    title: str = ""
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    emphasis: tuple[str, ...] = ()
    sections: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        widths = {len(self.headings), len(self.sides), *map(len, self.rows)}
        if len(widths) > 1:
            raise ValueError(f"headings, sides and rows are of different lengths: {sorted(widths)}")
        if self.emphasis and len(self.emphasis) != len(self.rows):
            raise ValueError(f"{len(self.emphasis)} emphases for {len(self.rows)} rows")
        if self.marks and len(self.marks) != len(self.headings):
            raise ValueError(f"{len(self.marks)} marks for {len(self.headings)} columns")

    def mark_of(self, column: int) -> str:
        """Return the warning of a column."""
        return self.marks[column] if self.marks else ""

    def emphasis_of(self, row: int) -> str:
        """Return the emphasis of a row."""
        return self.emphasis[row] if self.emphasis else ""


def dicts_of(sheet: Sheet) -> list[dict[str, str]]:
    """Return each row as a table of text, by its headings."""
    return [dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows]


def blocks(count: int, fits: Callable[[range], bool]) -> list[range]:
    """Return the fewest blocks of nearly equal size, of neighbours, that all fit.

    Example:
        >>> blocks(15, lambda block: len(block) <= 8)
        [range(0, 8), range(8, 15)]
    """
    for parts in range(1, count + 1):
        size, larger = divmod(count, parts)
        starts = [part * size + min(part, larger) for part in range(parts + 1)]
        found = [range(*ends) for ends in pairwise(starts)]
        if all(fits(block) for block in found):
            break
    return found
