"""One row for each run: its names, its training and its summary scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from moat.frames import identity
from moat.report.gate import worst_verdict
from moat.report.overfitting_notes import overfitted
from moat.report.rows import Row

RUNS_SCHEMA: dict[str, pl.DataType] = {
    **identity.IDENTITY_SCHEMA,
    "natural": pl.Float64(),
    "total": pl.Float64(),
    "union": pl.Float64(),
    "universal": pl.Float64(),
    "sacrificed": pl.Float64(),
    "examples": pl.Int64(),
    "data": pl.String(),
    "protocol": pl.String(),
    "epochs": pl.Int64(),
    "steps": pl.Int64(),
    "seconds": pl.Float64(),
    "forwards": pl.Int64(),
    "backwards": pl.Int64(),
    "searched": pl.Int64(),
    "passes": pl.Float64(),
    "search_saved": pl.Float64(),
    "overfitted_at": pl.Int64(),
    "passes_to_here": pl.Float64(),
    "gate": pl.String(),
    "folder": pl.String(),
    "tags": pl.List(pl.String()),
    "notes": pl.String(),
}
SWEEP = "sweep."
"""Before the dotted key of a sweep, in the name of its column."""


def runs_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return a row for each run; every key that some run sweeps is a further column."""
    table = pl.DataFrame([_row(row) for row in rows], schema=RUNS_SCHEMA, orient="row")
    keys = dict.fromkeys(key for row in rows for key in row.point.sweep)
    return table.with_columns(
        pl.Series(SWEEP + key, [row.point.sweep.get(key) for row in rows], strict=False)
        for key in keys
    )


def _row(row: Row) -> dict[str, Any]:
    point = row.point
    training = point.training
    return {
        **identity.identity_cells(point),
        "natural": point.natural,
        "total": point.total,
        "union": point.union,
        "universal": row.universal,
        "sacrificed": row.sacrificed,
        "examples": point.examples,
        "data": str(point.data.get("type", "")),
        "protocol": point.protocol_hash,
        "epochs": _number(training.get("epoch"), int),
        "steps": _number(training.get("steps"), int),
        "seconds": _number(training.get("seconds"), int | float),
        **{key: _number(training.get(key), int) for key in ("forwards", "backwards", "searched")},
        "passes": _number(training.get("passes"), int | float),
        "search_saved": _number(_table(training, "search").get("saved"), int | float),
        "overfitted_at": min(
            (step for _, step in overfitted(training) if step is not None), default=None
        ),
        "passes_to_here": point.passes_to_here,
        "gate": worst_verdict(point),
        "folder": point.place,
        "tags": list(point.tags),
        "notes": point.notes,
    }


def _table(training: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = training.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(value: Any, kind: Any) -> Any:
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
