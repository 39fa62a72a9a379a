"""One row for each score of every run: accuracies and their summaries, with intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from moat.frames import identity
from moat.outcomes import Column, accuracy, share_contributions
from moat.outcomes.intervals import Floats
from moat.report.front.objectives import ACCURACY, SCORES, Objective, robustness
from moat.report.intervals import bounds_among, score_intervals
from moat.report.numbers import finite
from moat.report.rows import Row

SCORES_SCHEMA: dict[str, pl.DataType] = {
    **identity.IDENTITY_SCHEMA,
    "score": pl.String(),
    "threat": pl.String(),
    "strength": pl.Float64(),
    "by": pl.String(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "unit": pl.String(),
}


@dataclass(frozen=True)
class _Kind:
    """The kind of a row; `objective` is its value, and the contribution of each test example."""

    score: str
    objective: Objective
    threat: str | None = None
    column: Column | None = None


def scores_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return a row for each run, threat, strength and score, in percent or percentage points."""
    return pl.DataFrame(
        [line for row in rows for line in _lines(row)], schema=SCORES_SCHEMA, orient="row"
    )


def _lines(row: Row) -> Iterator[dict[str, Any]]:
    point, kinds = row.point, list(_kinds(row))
    intervals = score_intervals([row], [kind.objective for kind in kinds])
    for kind, interval in zip(kinds, intervals, strict=True):
        yield {
            **identity.identity_cells(point),
            "score": kind.score,
            "threat": kind.threat,
            "strength": kind.column.strength if kind.column else None,
            "by": kind.column.by if kind.column else None,
            "value": kind.objective.value(row),
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "unit": kind.objective.unit,
        }


def _kinds(row: Row) -> Iterator[_Kind]:
    outcomes = row.point.outcomes
    yield _Kind("natural", SCORES["natural"])
    for threat in outcomes.threats:
        for column in outcomes.of(threat):
            yield _Kind("accuracy", _share(column, conditional=False), threat, column)
            yield _Kind("conditional", _share(column, conditional=True), threat, column)
    for name in row.point.scored:
        yield _Kind("robustness", robustness(name), name)
    for name in ("union", "total", "universal", "sacrificed"):
        yield _Kind(name, SCORES[name])


def _share(column: Column, *, conditional: bool) -> Objective:
    """Return the accuracy at a strength, among all examples or those right to begin with."""
    return Objective(
        name=f"{column.threat} at {column.written}",
        value=partial(_value, column, conditional),
        maximised=True,
        reference=0.0,
        per_example=partial(_added, column, conditional),
        bounds=partial(_bounds, conditional),
        unit=ACCURACY,
    )


def _value(column: Column, conditional: bool, row: Row) -> float | None:
    if not conditional:
        return row.point.accuracy[column.threat][column.written]
    if row.point.accuracy[column.threat][column.written] is None:
        return None
    return finite(accuracy(row.point.outcomes, column, conditional=True))


def _added(column: Column, conditional: bool, row: Row) -> Floats:
    return share_contributions(row.point.outcomes, [column], conditional=conditional)


def _bounds(conditional: bool, row: Row) -> tuple[float, float]:
    return bounds_among([row.point], conditional)
