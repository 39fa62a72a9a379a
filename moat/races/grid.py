"""The grid of scores: shares of test images are multiples of a step, so differences can tie."""

from collections.abc import Iterable

import numpy as np

_SAME = 1e-9
"""Steps below this, relative to the largest score, are rounding."""


def score_grid(scores: Iterable[float]) -> float:
    """Return the largest step of which all scores differ by multiples, 0 without one.

    Example:
        >>> score_grid([60.0, 60.5, 61.25]), score_grid([60.0, 60.0])
        (0.25, 0.0)
    """
    values = np.unique(np.asarray(list(scores), dtype=np.float64))
    if len(values) < 2:
        return 0.0
    none = _SAME * float(np.abs(values).max())
    step = 0.0
    for gap in np.diff(values).tolist():
        step = _common(step, gap, none)
        if step <= none:
            return 0.0
    return step


def least_deviation(scores: Iterable[float]) -> float:
    """Return the deviation of rounding to the grid of scores: no paired difference has less."""
    return score_grid(scores) / 12**0.5


def _common(one: float, other: float, none: float) -> float:
    """Return the greatest common divisor of two lengths, by Euclid with remainders about 0."""
    while one > none:
        one, other = abs(other - one * round(other / one)), one
    return other
