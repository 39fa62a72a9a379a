"""Tables as CSV, for spreadsheets and pandas: floats at full precision, absent values empty."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from moat.report.numbers import finite
from moat.report.scores.scoreboard import Scoreboard


def csv_of(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Return the rows under these names, one a line; no text is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writerow({name: as_text(name) for name in names})
    writer.writerows({name: as_text(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def as_text(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: text that begins as one is quoted.

    Example:
        >>> as_text("=1+1"), as_text("pgd-at"), as_text(-0.5)
        ("'=1+1", 'pgd-at', -0.5)
    """
    return f"'{cell}" if isinstance(cell, str) and len(cell) > 1 and cell[0] in _FORMULA else cell


_FORMULA = "=+-@\t\r"


def scores_csv(board: Scoreboard) -> str:
    """Return one line for each score of each column."""
    rows = []
    for place, column in enumerate(board.columns):
        for score, cells in board.cells.items():
            cell = cells[place]
            rows.append(
                {
                    "study": column.first.study,
                    "label": column.first.label,
                    "score": score,
                    "ours": finite(cell.mean),
                    "low": None if cell.interval is None else cell.interval.low,
                    "high": None if cell.interval is None else cell.interval.high,
                    "interval_over": None if cell.interval is None else cell.interval.over,
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
    return csv_of(rows, list(rows[0]))
