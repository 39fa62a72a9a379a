"""The percentile bootstrap of any statistic over test examples, paired where values are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.outcomes.intervals import LEVEL, Ends
from moat.outcomes.resampling import DRAWS
from moat.public import public

HELD = 1 << 22
"""Numbers that are resampled at once."""
FEWEST_EXAMPLES = 6
"""Of fewer, resampled values cover a median in less than 95 % of samples."""
Statistic = Callable[..., Any]
"""A function of values and `axis` that takes any further axes, such as np.median."""


@public
def bootstrap_interval(
    values: ArrayLike, statistic: Statistic = np.median, *, draws: int = DRAWS, seed: int = 0
) -> Ends:
    """Return the ends of the 95 % interval of a statistic over examples, the last axis.

    Examples are drawn with replacement, the same for all rows, and the ends are quantiles of the
    statistic over the draws. Of fewer than six examples both are NaN: no draw leaves the range of
    the examples, and that of n covers a median in 1 − 2^(1 − n) of samples, less than 95 %.

    Example:
        >>> low, high = bootstrap_interval(np.arange(101.0))
        >>> bool(low < 50 < high)
        True

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Section 13.3.
    """
    each = np.asarray(values, dtype=np.float64)
    count = each.shape[-1]
    if count < FEWEST_EXAMPLES:
        shape = np.shape(statistic(each, axis=-1)) if count else each.shape[:-1]
        none = np.full(shape, np.nan)
        return none, none
    generator = np.random.default_rng(seed)
    together = max(1, HELD // max(1, each.size))
    found: list[NDArray[np.float64]] = []
    for start in range(0, draws, together):
        drawn = generator.integers(count, size=(min(together, draws - start), count))
        found.append(np.moveaxis(statistic(each[..., drawn], axis=-1), -1, 0))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail], axis=0)
    return np.asarray(low), np.asarray(high)
