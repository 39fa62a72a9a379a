"""A scoreboard as Markdown: tables of GitHub's kind, eight columns at most in each."""

import re
from collections.abc import Sequence

from moat.report.scores.lines import Line, blocks, guess_words, lines_of
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.report.settings import Setting

MOST_COLUMNS = 8
_MARKS = re.compile(r"[\\|`*<\[\]~$]|\b_|_\b|&(?=[\w#]+;)")


def markdown_of(board: Scoreboard, messages: Sequence[str] = ()) -> str:
    """Return title, tables and notes, messages of what could not be read among the notes."""
    every = blocks(len(board.columns), lambda block: len(block) <= MOST_COLUMNS)
    parts = [
        f"# {escaped(board.group.title)}",
        *(_table(board, block) for block in every),
        "\n".join(f"- {escaped(note)}" for note in [*board_notes(board), *messages]),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it stands, in one line: also in a table's cell."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _table(board: Scoreboard, block: range) -> str:
    headings = [_heading(board.columns[place]) for place in block]
    rule = ["---", *["---:"] * len(block)]
    lines = [_cells(line) for line in lines_of(board, block)]
    return "\n".join(_row(cells) for cells in [["score", *headings], rule, *lines])


def _heading(column: Setting) -> str:
    mark = " ".join(guess_words(column))
    return escaped(column.name) + (f" **{mark}**" if mark else "")


def _cells(line: Line) -> list[str]:
    title = f"**{escaped(line.title)}**" if line.kind == "score" else line.title
    return [title, *map(escaped, line.texts)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
