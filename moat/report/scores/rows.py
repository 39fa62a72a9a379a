"""A scoreboard as CSV: one line for each score and column."""

from typing import Any

from moat.report.numbers import finite
from moat.report.scores.scoreboard import Scoreboard
from moat.sheets import csv_of


def scores_csv(board: Scoreboard) -> str:
    """Return one line for each score of each column."""
    rows = scores_rows(board)
    return csv_of(rows, list(rows[0]))


def scores_rows(board: Scoreboard) -> list[dict[str, Any]]:
    """Return a row for each score of each column."""
    rows = []
    for place, column in enumerate(board.columns):
        for score, cells in board.cells.items():
            cell = cells[place]
            others = board.differences
            apart = others.beside(column).get(score) if others else None
            rows.append(
                {
                    "study": column.first.study,
                    "label": column.first.label,
                    "score": score,
                    "ours": finite(cell.mean),
                    "low": None if cell.interval is None else cell.interval.low,
                    "high": None if cell.interval is None else cell.interval.high,
                    "interval_over": None if cell.interval is None else cell.interval.over,
                    "difference_from": others.baseline.name if others and apart else "",
                    "paired_difference": apart and apart.value,
                    "paired_difference_error": apart and apart.error,
                    "seeds": len(column.rows),
                    "published": cell.published,
                    "difference": finite(cell.difference),
                    "source": "" if cell.published is None else board.sources[place],
                    "examples": " or ".join(
                        map(str, sorted({point.examples for point in column.points}))
                    ),
                    "constant_guesses": column.guesses,  # how many of the seeds
                    "protocol_hash": board.group.protocol_hash,
                    "folders": "; ".join(point.where for point in column.points),
                }
            )
    return rows
