"""The contribution of each example: every score in percent is the mean of its contributions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moat.names import NATURAL
from moat.outcomes.columns import Column
from moat.outcomes.matrix import Outcomes
from moat.outcomes.searches import (
    NATURAL_SEARCHES,
    searches_of,
    union_searches,
    withstood,
)
from moat.public import public

Contributions = NDArray[np.float64]
"""Of shape (examples,)."""


@public
def contributions(
    outcomes: Outcomes,
    score: str,
    *,
    summed: Sequence[str] = (),
    over: Sequence[str] = (),
    conditional: bool = False,
) -> Contributions:
    """Return each example's contribution, from 0 to 100; to a total, up to 100 for each threat.

    `score` is "natural", "union" (over all threats, or over the named ones), "total" (of `summed`),
    or any other name of a threat or ensemble. The mean over the examples is the score of
    `moat.outcomes`; differences of runs on the same examples are means as well, so they can be
    paired. `conditional` is for a threat alone, as in `share_contributions`. Raises UnsearchedError
    for a score that needs omitted searches, MoatError for an unknown name.

    Example:
        >>> from moat.outcomes import Column
        >>> columns = (Column("natural", 0), Column("pgd", 2), Column("pgd", 4))
        >>> found = Outcomes(np.array([[1, 1, 0], [1, 1, 1]], np.int8), columns, np.arange(2))
        >>> contributions(found, "pgd").tolist()
        [50.0, 100.0]
    """
    if score == NATURAL:
        return share_contributions(outcomes, NATURAL_SEARCHES)
    if score == "union":
        return share_contributions(outcomes, union_searches(outcomes, over or outcomes.threats))
    if score == "total":
        parts = [robustness_contributions(outcomes, threat) for threat in summed]
        parts.append(np.zeros(len(outcomes.ids)))  # of which there may be no other
        return np.asarray(np.sum(parts, axis=0, dtype=np.float64))
    return robustness_contributions(outcomes, score, conditional=conditional)


@public
def robustness_contributions(
    outcomes: Outcomes, name: str, *, conditional: bool = False
) -> Contributions:
    """Return each example's contribution to the score of a threat or an ensemble of any name."""
    parts = [
        share_contributions(outcomes, searches, conditional=conditional)
        for searches in searches_of(outcomes, name)
    ]
    return np.asarray(np.mean(parts, axis=0))


@public
def share_contributions(
    outcomes: Outcomes, searches: Sequence[Column], *, conditional: bool = False
) -> Contributions:
    """Return each example's contribution to the share that withstood all of these searches.

    `conditional`: to the share θ among the examples that are classified correctly without a search,
    a share d of all: θ + (withstood − θ) / d for each of these, θ for the others (linearised, since
    d is random as well); NaN if d is 0.

    Source: Cochran, Sampling Techniques, 1977, Section 6.4, the variance of a ratio.
    """
    held = 100.0 * withstood(outcomes, searches, conditional=conditional).astype(np.float64)
    if not conditional:
        return held
    among = withstood(outcomes, NATURAL_SEARCHES)
    added = np.full(len(among), np.nan)
    if among.any():
        added[:] = share = held.mean()
        added[among] += (held - share) / among.mean()
    return added


@public
def bounds_of(score: str, summed: Sequence[str] = ()) -> tuple[float, float]:
    """Return the smallest and largest contribution of an example to a score, in percent."""
    return 0.0, 100.0 * (len(summed) if score == "total" else 1)
