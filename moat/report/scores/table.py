"""A scoreboard for the terminal, cut into tables of as many columns as there is room for."""

from rich.console import Group, RenderableType
from rich.text import Text

from moat.report.scores.lines import board_sheet
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.sheets import TerminalSheet, blocks, terminal_of


def score_table(board: Scoreboard, width: int) -> Group:
    """Return the title, the fewest tables that fit, and the notes."""

    def made(places: range) -> TerminalSheet:
        return terminal_of(board_sheet(board, places), stacked=True)

    shown: list[RenderableType] = [Text(board.group.title, style="italic")]
    for part in blocks(len(board.columns), lambda part: made(part).width <= width):
        shown += [made(part), ""]
    return Group(*shown, Text("\n".join(board_notes(board)), style="dim"))
