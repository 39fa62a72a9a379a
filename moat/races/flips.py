"""Sign flips at several looks: a test of paired differences that needs no normal distribution."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.public import public
from moat.races.design import Design
from moat.races.differences import paired

_Floats = NDArray[np.float64]

_ALL = 13
"""Up to so many seeds all flips are counted; beyond, as many are drawn."""
_SAME = 1e-9
"""Sums that differ by less, relative to the largest, are ties."""


@public
def flip_probability(differences: ArrayLike) -> float:
    """Return the p of paired differences (seeds,): the share of sign flips with as large a mean.

    Raises InputError for no differences, or for one that is not finite.

    Example:
        >>> flip_probability([1.0, 2.0, 3.0, 1.5, 0.5])  # of 32 flips two are as large
        0.0625

    Source: Fisher, The Design of Experiments, 1935, Section 21.
    """
    each = paired(differences, fewest=1)
    sums = np.abs(_signs(len(each)) @ np.abs(each))
    return float((sums >= abs(each.sum()) - _SAME * np.abs(each).sum()).mean())


@public
def flips_reject(
    differences: ArrayLike, design: Design, level: float, *, one_sided: bool = False
) -> bool:
    """Say whether sign flips reject a mean of 0 at one of the looks so far.

    `differences` (seeds,) end at the present look. Of all flips, an equal share of `level` is spent
    at each look; what the discrete sums leave unspent is carried over. The boundary of a look
    depends on the sizes of the differences alone, so the error over all looks is at most `level`
    for any differences that are symmetric about 0. `one_sided` rejects a mean of at most 0. Raises
    InputError for no differences, or for one that is not finite.

    Source: Mathieu et al., AdaStop: adaptive statistical testing for sound comparisons of Deep RL
    agents, 2023, with paired seeds.
    """
    each = paired(differences, fewest=1)
    signs = np.vstack([np.where(each < 0, -1.0, 1.0), _signs(len(each))])  # the first as found
    sums = np.cumsum(signs * np.abs(each), axis=1)
    if not one_sided:
        sums = np.abs(sums)
    within = np.ones(len(signs), dtype=bool)
    within[0] = len(each) > _ALL  # of all flips one is the found one already
    flips = int(within.sum())
    spent, stopped = 0, np.zeros(len(signs), dtype=bool)
    for look in design.looks:
        if look > len(each):
            break
        share = (look - design.first + 1) / len(design.looks)
        budget = int(np.floor(level * share * flips + _SAME)) - spent
        sum_now = sums[:, look - 1]
        crossed = ~stopped & (sum_now >= _boundary(sum_now[within & ~stopped], budget))
        stopped |= crossed
        spent += int((crossed & within).sum())
    return bool(stopped[0])


def _boundary(sums: _Floats, budget: int) -> float:
    """Return the smallest positive sum that at most `budget` of these reach, inf without one."""
    if budget < 1 or not len(sums):
        return float("inf")
    ordered = np.sort(sums)[::-1]
    same = float(_SAME * max(abs(ordered[0]), abs(ordered[-1])))
    if budget >= len(ordered):
        return max(float(ordered[-1]) - same, same)
    above = ordered[ordered > ordered[budget] + same]  # no tie is cut in two
    return max(float(above[-1]) - same, same) if len(above) else float("inf")


@lru_cache(maxsize=32)
def _signs(seeds: int) -> _Floats:
    """Return all flips of some seeds, (flips, seeds), or as many as there are of `_ALL` seeds.

    Drawn flips of fewer seeds are the first columns of those of more.
    """
    if seeds <= _ALL:
        bits = np.arange(2**seeds)[:, None] >> np.arange(seeds)
        return np.where(bits & 1, -1.0, 1.0)
    generator = np.random.default_rng(3)
    return np.stack([generator.choice([-1.0, 1.0], 2**_ALL) for _ in range(seeds)], axis=1)
