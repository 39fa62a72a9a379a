"""Scores of several runs on the same examples, and how sure their differences are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moat.errors import UnsearchedError
from moat.outcomes import contributions, percentile_interval, resampling_weights
from moat.report.side_by_side.compared import ComparedRun
from moat.types import NATURAL

TOTAL, UNION = "total", "union"


@dataclass(frozen=True)
class Difference:
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
    differences: tuple[Difference | None, ...]


def paired_scores(runs: Sequence[ComparedRun]) -> tuple[PairedScore, ...]:
    """Return natural, every threat and ensemble, total and union, of runs whose examples agree.

    The same resamples of the examples serve all runs and scores, so that what is hard for both
    of two runs does not blur their difference.
    """
    weights = resampling_weights(len(runs[0].outcomes.ids))
    total = [TOTAL] if runs[0].point.protocol["summed"] else []
    names = [NATURAL, *runs[0].point.scored, *total, UNION]
    return tuple(_paired(name, runs, weights) for name in names)


def _paired(score: str, runs: Sequence[ComparedRun], weights: NDArray[np.float32]) -> PairedScore:
    first, *others = each = [_contributions(run, score) for run in runs]
    values = tuple(None if found is None else float(found.mean()) for found in each)
    differences = tuple(
        None if first is None or other is None else _difference(other - first, weights)
        for other in others
    )
    return PairedScore(score, values, differences)


def _difference(each: NDArray[np.float64], weights: NDArray[np.float32]) -> Difference:
    # To a thousandth of a point: rounding must not carry an end of the interval across 0.
    resampled = np.round((weights @ each.astype(np.float32)).astype(np.float64), 3)
    low, high = percentile_interval(resampled)
    return Difference(float(each.mean()), float(low), float(high))


def _contributions(run: ComparedRun, score: str) -> NDArray[np.float64] | None:
    try:
        return contributions(run.outcomes, score, summed=run.point.protocol["summed"])
    except UnsearchedError:
        return None
