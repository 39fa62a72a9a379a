"""A scoreboard as lines of text, for the terminal and for Markdown alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from moat.report.front.objectives import OUT_OF_REACH
from moat.report.numbers import as_printed, decimals, gap
from moat.report.scores.scoreboard import Scoreboard
from moat.report.settings import Setting
from moat.sheets import FAINT, STRONG, Sheet

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


def board_sheet(board: Scoreboard, places: Sequence[int], first: str = "") -> Sheet:
    """Return some of the columns as a sheet; `first` is the heading of the scores' names."""
    lines = lines_of(board, places)
    indented = ("published", "difference")
    return Sheet(
        headings=(first, *(board.columns[place].name for place in places)),
        rows=tuple(
            (f"  {line.title}" if line.kind in indented else line.title, *line.texts)
            for line in lines
        ),
        sides="l" + "r" * len(places),
        marks=("", *(" ".join(guess_words(board.columns[place])) for place in places)),
        emphasis=tuple(_EMPHASIS[line.kind] for line in lines),
    )


_EMPHASIS: dict[Kind, str] = {
    "seeds": FAINT,
    "score": STRONG,
    "published": "",
    "difference": FAINT,
}
