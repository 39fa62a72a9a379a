"""The level of a single look: with one at every look, the whole race errs as often as its level."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from moat.errors import InputError
from moat.public import public
from moat.races.design import Design
from moat.races.differences import paired

_Floats = NDArray[np.float64]

_RACES = 200_000
"""Simulated races of a calibration: the error of a level of 5 % is then 0.05 points."""
_NUMBERS = 3_000_000
"""Numbers of a calibration at most, so that it takes less than a second."""
_FEWEST_RACES = 20_000
_TOGETHER = 20_000
_FEWEST_BELOW = 20
"""A quantile with fewer races below it is not estimated."""


@public
def t_probabilities(
    differences: ArrayLike, first: int = 2, *, least_deviation: float = 0.0
) -> _Floats:
    """Return the two-sided p of Student's t after each number of seeds from the `first` on.

    `differences` (..., seeds) are paired; the result is (..., looks). Their deviation counts as
    `least_deviation` where it is smaller. Without one, equal differences have a p of 0, and of 1 if
    all are 0. Raises InputError for a difference that is not finite.

    Example:
        >>> t_probabilities([1.0, 2.0, 3.0], first=3).round(4).tolist()
        [0.0742]
    """
    each = paired(differences)
    number = np.arange(1, each.shape[-1] + 1)
    sums, squares = each.cumsum(-1), (each**2).cumsum(-1)
    places = slice(first - 1, None)
    seeds = number[places].astype(np.float64)
    mean = sums[..., places] / seeds
    spread = np.maximum(squares[..., places] - seeds * mean**2, 0.0)
    spread = np.where(spread > 1e-12 * squares[..., places], spread, 0.0)  # no rounding of 0
    spread = np.maximum(spread, (seeds - 1) * least_deviation**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / np.sqrt(spread / (seeds * (seeds - 1)))
    return np.asarray(np.where(np.isnan(t), 1.0, 2 * stdtr(seeds - 1, -t)))


@public
def nominal_level(first: int, last: int, level: float = 0.05) -> float:
    """Return the level of each look with which a race without effect errs in a share of `level`.

    It looks after each seed from the `first` to the `last`, and stops at a p below the result. The
    result is the quantile of the smallest p in simulated races of normal differences, from a fixed
    seed; it is computed once in a process for each pair of ends. It is at most `level`, and at
    least the share of `level` for each look, which is the result for a `level` below the resolution
    of the simulation.

    Example:
        >>> round(nominal_level(3, 12), 3), round(nominal_level(5, 5), 3)
        (0.011, 0.05)

    Raises InputError for looks that are not a race, and for a level outside (0, 1).

    Source: Pocock, Group sequential methods in the design and analysis of clinical trials, 1977,
    with Student's t, and a look after each seed.
    """
    Design(first, last)  # refuses looks that are not a race
    if not 0 < level < 1:
        raise InputError(
            f"{level:g} is not a level: it is a probability between 0 and 1.",
            where="level",
            hint="0.05 is usual.",
        )
    return level if first == last else _quantile_of_races(first, last, level)


@lru_cache(maxsize=1024)
def _quantile_of_races(first: int, last: int, level: float) -> float:
    smallest, share = _smallest_probabilities(first, last), level / (last - first + 1)
    if level * len(smallest) < _FEWEST_BELOW:
        return share
    return max(share, min(level, float(np.quantile(smallest, level))))


@lru_cache(maxsize=16)
def _smallest_probabilities(first: int, last: int) -> _Floats:
    """Return the smallest p of each simulated race."""
    looks = last - first + 1
    races = min(_RACES, max(_FEWEST_RACES, _NUMBERS // looks))
    generator = np.random.default_rng(2)
    found = [
        t_probabilities(generator.standard_normal((many, last)), first).min(-1)
        for many in [_TOGETHER] * (races // _TOGETHER)
    ]
    return np.concatenate(found)


@public
def t_interval(
    differences: ArrayLike, level: float, *, least_deviation: float = 0.0
) -> tuple[float, float, float]:
    """Return the mean of paired differences (seeds,) and the ends of Student's interval about it.

    The interval excludes 0 exactly where the p of `t_probabilities` is below `level`, with
    the same `least_deviation`. Raises InputError for fewer than two differences, or for one that is
    not finite.
    """
    each = paired(differences, fewest=2)
    mean = float(each.mean())
    deviation = float(each.std(ddof=1))
    if deviation <= 1e-6 * float(np.sqrt((each**2).mean())):
        deviation = 0.0  # equal, but for rounding
    deviation = max(deviation, least_deviation)
    reach = float(stdtrit(len(each) - 1, 1 - level / 2)) * deviation / len(each) ** 0.5
    return mean, mean - reach, mean + reach
