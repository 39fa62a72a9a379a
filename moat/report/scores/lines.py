"""A scoreboard as lines of text, for the terminal and for Markdown alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from moat.report.numbers import as_printed, decimals, gap
from moat.report.scores.scoreboard import OUT_OF_REACH, Scoreboard
from moat.report.settings import Setting

Kind = Literal["seeds", "score", "published", "difference"]


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is, its title, and a text for each column."""

    kind: Kind
    title: str
    texts: tuple[str, ...]


def lines_of(board: Scoreboard, columns: Sequence[int]) -> list[Line]:
    """Return the lines of some of the columns, by their places.

    Below a score stand the published figure and the difference, where one of these columns has a
    published figure; the number of seeds comes first, where one has several.
    """
    every = [cell.published for cells in board.cells.values() for cell in cells]
    digits = decimals([figure for figure in every if figure is not None])
    seeds = [len(board.columns[place].rows) for place in columns]
    lines = [Line("seeds", "seeds", tuple(map(str, seeds)))] if max(seeds) > 1 else []
    for score, of_all in board.cells.items():
        cells = [of_all[place] for place in columns]
        if score != OUT_OF_REACH or any(cell.values for cell in cells):
            ours = tuple(cell.text for cell in cells)
            lines.append(Line("score", score, ours))
        if any(cell.published is not None for cell in cells):
            theirs = tuple(as_printed(cell.published, digits) for cell in cells)
            gaps = tuple(gap(cell.difference) for cell in cells)
            lines += [
                Line("published", "published", theirs),
                Line("difference", "difference", gaps),
            ]
    return lines


def guess_words(column: Setting) -> list[str]:
    """Return the mark of a column whose runs did not train, how many where not all, or nothing."""
    guesses, runs = column.guesses, len(column.rows)
    some = [f"({guesses} of {runs})"] if guesses < runs else []
    return ["constant", "guess", *some] if guesses else []


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
