"""A scoreboard for the terminal, cut into tables of as many columns as there is room for."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from moat.report.scores.lines import blocks, guess_words, lines_of
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.report.settings import Setting
from moat.report.terminal import width_of

_STYLES = {"seeds": "dim", "score": "bold", "published": "", "difference": "dim"}


def score_table(board: Scoreboard, width: int) -> Group:
    """Return the title, the fewest tables that fit, and the notes."""
    parts = blocks(len(board.columns), lambda part: width_of(_table(board, part)) <= width)
    shown: list[RenderableType] = [Text(board.group.title, style="italic")]
    for part in parts:
        shown += [_table(board, part), ""]
    return Group(*shown, Text("\n".join(board_notes(board)), style="dim"))


def _table(board: Scoreboard, places: range) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("")
    for place in places:
        table.add_column(_heading(board.columns[place]), justify="right", overflow="fold")
    for line in lines_of(board, places):
        title = line.title if line.kind in ("seeds", "score") else f"  {line.title}"
        table.add_row(*(Text(text) for text in (title, *line.texts)), style=_STYLES[line.kind])
    return table


def _heading(column: Setting) -> Text:
    """Return a column's name a word a line, and below it whether it did not train."""
    text = Text("\n".join(column.name.split(" ")))
    return text.append("".join(f"\n{word}" for word in guess_words(column)), style="red")
