"""Rows as CSV, for spreadsheets and data frames: floats at full precision, absent values empty."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def csv_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
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
