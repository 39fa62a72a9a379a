"""Scores of several runs on the same examples, and intervals of their differences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moat.errors import UnsearchedError
from moat.names import NATURAL
from moat.outcomes import mean_interval
from moat.report.front.objectives import (
    NATURAL_ACCURACY,
    TOTAL,
    UNION,
    Objective,
    robustness,
    threat_title,
)
from moat.report.rows import Row
from moat.report.side_by_side.runs import ComparedRun


@dataclass(frozen=True)
class PairedDifference:
    """By how many points a run lies above the reference, with the interval about it."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class PairedScore:
    """One score of every run, None where it would touch what was not searched.

    `differences` has one for each run but the first, which is the reference.
    """

    score: str
    values: tuple[float | None, ...]
    differences: tuple[PairedDifference | None, ...]


def paired_scores(runs: Sequence[ComparedRun]) -> tuple[PairedScore, ...]:
    """Return natural, every threat and ensemble, total and union, of runs whose examples agree.

    An interval is that of the differences, an example at a time, so that what is hard for both of
    two runs does not blur it.
    """
    first = runs[0].point
    of = {NATURAL: NATURAL_ACCURACY, **{threat_title(n): robustness(n) for n in first.scored}}
    if first.protocol.summed:
        of["total"] = TOTAL
    of["union"] = UNION
    return tuple(_paired(name, objective, runs) for name, objective in of.items())


def _paired(score: str, objective: Objective, runs: Sequence[ComparedRun]) -> PairedScore:
    rows = [Row(run.name, run.point) for run in runs]
    _, most = objective.bounds(rows[0])
    first, *others = each = [_each(objective, row) for row in rows]
    values = tuple(None if found is None else float(found.mean()) for found in each)
    differences = tuple(
        None if first is None or other is None else _difference(other - first, most)
        for other in others
    )
    return PairedScore(score, values, differences)


def _difference(each: NDArray[np.float64], most: float) -> PairedDifference:
    low, high = mean_interval(each, (-most, most))
    # To a thousandth of a point: rounding must not carry an end of the interval across 0.
    return PairedDifference(float(each.mean()), round(float(low), 3), round(float(high), 3))


def _each(objective: Objective, row: Row) -> NDArray[np.float64] | None:
    try:
        return objective.per_example(row)
    except UnsearchedError:
        return None
