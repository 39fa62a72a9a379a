"""The columns that identify the run of a row."""

from typing import Any

import polars as pl

from moat.report.points import Point

IDENTITY_SCHEMA: dict[str, pl.DataType] = {
    "run": pl.String(),
    "study": pl.String(),
    "variant": pl.String(),
    "label": pl.String(),
    "seed": pl.Int64(),
}


def identity_cells(point: Point) -> dict[str, Any]:
    """Return the values of these columns for a run."""
    return {
        "run": point.where,
        "study": point.study,
        "variant": point.variant,
        "label": point.label,
        "seed": point.seed,
    }
