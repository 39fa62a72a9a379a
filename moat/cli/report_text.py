"""Scoreboards and comparisons of protocols in the formats of `moat report`."""

from dataclasses import replace

from moat.cli.formats import Format, sheets_text
from moat.plain import json_of
from moat.report import ProtocolComparison, ScoreReport
from moat.report.protocols.sheets import (
    against_csv,
    against_markdown,
    against_rows,
    against_sheet,
)
from moat.report.scores.notes import board_notes
from moat.report.scores.rows import scores_csv, scores_rows
from moat.report.scores.sheets import board_markdown, board_sheets, difference_sheets


def boards_text(made: ScoreReport, form: Format) -> str:
    """Return the scoreboards; CSV and JSON are of the first, a row for each score and setting."""
    if form is Format.csv:
        return scores_csv(made.boards[0]).rstrip("\n")
    if form is Format.json:
        return json_of(scores_rows(made.boards[0]), indent=2)
    if form is Format.markdown:
        return "\n".join(board_markdown(board, made.messages) for board in made.boards).rstrip()
    sheets = []
    for board in made.boards:
        *others, last = board_sheets(board)
        sheets += [*others, replace(last, notes=tuple(board_notes(board)))]
        sheets[-len(others) - 1] = replace(sheets[-len(others) - 1], title=board.group.title)
        sheets += difference_sheets(board)
    return sheets_text(sheets, form)


def against_text(comparison: ProtocolComparison, form: Format) -> str:
    """Return a comparison of two protocols."""
    if form is Format.csv:
        return against_csv(comparison).rstrip("\n")
    if form is Format.json:
        return json_of(against_rows(comparison), indent=2)
    if form is Format.markdown:
        return against_markdown(comparison).rstrip("\n")
    return sheets_text([against_sheet(comparison)], form)
