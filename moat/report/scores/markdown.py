"""A scoreboard as Markdown: tables of eight columns at most."""

from collections.abc import Sequence

from moat.report.scores.lines import board_sheet
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.sheets import Sheet, blocks, escaped, markdown_of

MOST_COLUMNS = 8


def board_sheets(board: Scoreboard) -> list[Sheet]:
    """Return the columns in as few sheets as may be, of eight columns at most."""
    every = blocks(len(board.columns), lambda block: len(block) <= MOST_COLUMNS)
    return [board_sheet(board, block, "score") for block in every]


def board_markdown(board: Scoreboard, messages: Sequence[str] = ()) -> str:
    """Return title, tables and notes, messages of what could not be read among the notes."""
    parts = [
        f"# {escaped(board.group.title)}",
        *map(markdown_of, board_sheets(board)),
        "\n".join(f"- {escaped(note)}" for note in [*board_notes(board), *messages]),
    ]
    return "\n\n".join(parts) + "\n"
