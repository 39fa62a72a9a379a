"""A scoreboard as sheets: for the terminal, in one table or several, and for Markdown."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from moat.report.differences import differences_sheet, differences_table
from moat.report.front.objectives import OUT_OF_REACH
from moat.report.numbers import DASH, as_printed, decimals, gap
from moat.report.order import TO_HERE, cost
from moat.report.scores.notes import board_notes, brief_board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.report.settings import Setting
from moat.sheets import (
    FAINT,
    STRONG,
    Sheet,
    TerminalSheet,
    blocks,
    escaped,
    markdown_of,
    terminal_of,
)

MOST_COLUMNS = 8
"""Of a table of Markdown."""
_Line = tuple[str, str, tuple[str, ...]]  # a title, the emphasis, a text for each column


def score_table(board: Scoreboard, width: int, *, brief: bool = False) -> Group:
    """Return the title, the fewest tables that fit a terminal, and the notes, `brief` or all."""

    def made(places: range) -> TerminalSheet:
        return terminal_of(board_sheet(board, places), stacked=True)

    shown: list[RenderableType] = [Text(board.group.title, style="italic")]
    for part in blocks(len(board.columns), lambda part: made(part).width <= width):
        shown += [made(part), ""]
    if board.differences:
        shown += [differences_table(board.differences, board.columns, width), ""]
    said = brief_board_notes(board) if brief else board_notes(board)
    return Group(*shown, Text("\n".join(said), style="dim"))


def board_markdown(board: Scoreboard, messages: Sequence[str] = ()) -> str:
    """Return title, tables and notes, messages of what could not be read among the notes."""
    parts = [
        f"# {escaped(board.group.title)}",
        *map(markdown_of, [*board_sheets(board), *difference_sheets(board)]),
        "\n".join(f"- {escaped(note)}" for note in [*board_notes(board), *messages]),
    ]
    return "\n\n".join(parts) + "\n"


def board_sheets(board: Scoreboard) -> list[Sheet]:
    """Return the columns in as few sheets as may be, of eight columns at most."""
    every = blocks(len(board.columns), lambda block: len(block) <= MOST_COLUMNS)
    return [board_sheet(board, block, "score") for block in every]


def difference_sheets(board: Scoreboard) -> list[Sheet]:
    """Return the paired differences to the baseline as one sheet, none where there are none."""
    found = board.differences
    return [differences_sheet(found, board.columns)] if found else []


def board_sheet(board: Scoreboard, places: Sequence[int], first: str = "") -> Sheet:
    """Return some of the columns as a sheet; `first` is the heading of the scores' names.

    Below a score stand the published figure and the difference, where one of these columns has a
    published figure; the number of seeds comes first, where one has several, then the passes of a
    training, where one has recorded them, and those to its weights, where it started from others.
    """
    titles, emphasis, texts = zip(*_lines(board, places), strict=True)
    return Sheet(
        headings=(first, *(board.columns[place].name for place in places)),
        rows=tuple((title, *of_line) for title, of_line in zip(titles, texts, strict=True)),
        sides="l" + "r" * len(places),
        marks=("", *(" ".join(guess_words(board.columns[place])) for place in places)),
        emphasis=emphasis,
    )


def _lines(board: Scoreboard, places: Sequence[int]) -> Iterator[_Line]:
    every = [cell.published for cells in board.cells.values() for cell in cells]
    digits = decimals([figure for figure in every if figure is not None])
    seeds = [len(board.columns[place].rows) for place in places]
    if max(seeds) > 1:
        yield "seeds", FAINT, tuple(map(str, seeds))
    columns = [board.columns[place] for place in places]
    own, whole = ([cost(one, name) for one in columns] for name in ("passes", TO_HERE))
    for title, passes in (("passes", own), ("passes to here", [] if whole == own else whole)):
        if any(one is not None for one in passes):
            yield title, FAINT, tuple(DASH if one is None else f"{one:.4g}" for one in passes)
    for score, of_all in board.cells.items():
        cells = [of_all[place] for place in places]
        if score != OUT_OF_REACH or any(cell.values for cell in cells):
            yield score, STRONG, tuple(cell.text for cell in cells)
        if any(cell.published is not None for cell in cells):
            figures = tuple(as_printed(cell.published, digits) for cell in cells)
            yield "  published", "", figures
            yield "  difference", FAINT, tuple(gap(cell.difference) for cell in cells)


def guess_words(column: Setting) -> list[str]:
    """Return the mark of a column whose runs did not train, how many where not all, or nothing."""
    guesses, runs = column.guesses, len(column.rows)
    some = [f"({guesses} of {runs})"] if guesses < runs else []
    return ["constant", "guess", *some] if guesses else []
