"""What each example adds to a score: every score in percent is the mean of its contributions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moat.names import NATURAL
from moat.outcomes.columns import NATURAL_COLUMN, Column
from moat.outcomes.matrix import Outcomes

Contributions = NDArray[np.float64]
"""Of shape (examples,)."""


def contributions(
    outcomes: Outcomes,
    score: str,
    *,
    summed: Sequence[str] = (),
    over: Sequence[str] = (),
    conditional: bool = False,
) -> Contributions:
    """Return what each example adds, between 0 and 100; of a total, up to 100 for each threat.

    `score` is "natural", "union" (over all threats, or over those named), "total" (of `summed`),
    or a threat or ensemble. The mean over the examples is the score of `moat.outcomes`, and, since
    differences of runs on the same examples are means as well, of what can be paired. `conditional`
    is a threat's alone, as of `share_contributions`. Raises UnsearchedError where it would touch
    what was not searched, MoatError for an unknown name.

    Example:
        >>> from moat.outcomes import Column
        >>> columns = (NATURAL_COLUMN, Column("pgd", 2), Column("pgd", 4))
        >>> found = Outcomes(np.array([[1, 1, 0], [1, 1, 1]], np.int8), columns, np.arange(2))
        >>> contributions(found, "pgd").tolist()
        [50.0, 100.0]
    """
    if score == NATURAL:
        return _percent(outcomes.withstood([NATURAL_COLUMN]))
    if score == "union":
        threats = over or outcomes.threats
        columns = [column for threat in threats for column in outcomes.of(threat)]
        return _percent(outcomes.withstood([NATURAL_COLUMN, *columns]))
    if score == "total":
        parts = [contributions(outcomes, threat) for threat in summed]
        return np.asarray(np.sum(parts, axis=0, dtype=np.float64))
    columns = outcomes.of(score)
    together = [columns] if score in outcomes.ensembles else [[column] for column in columns]
    parts = [
        share_contributions(outcomes, strength, conditional=conditional) for strength in together
    ]
    return np.asarray(np.mean(parts, axis=0))


def share_contributions(
    outcomes: Outcomes, columns: Sequence[Column], *, conditional: bool = False
) -> Contributions:
    """Return what each example adds to the share that withstood all of these strengths.

    `conditional`: to the share θ among the examples right to begin with, of which there is a share
    d: θ + (withstood − θ) / d of each of these, θ of the others (linearised, since d is random as
    well); NaN where d is 0.

    Source: Cochran, Sampling Techniques, 1977, Section 6.4, the variance of a ratio.
    """
    if not conditional:
        return _percent(outcomes.withstood(columns))
    among = outcomes.withstood([NATURAL_COLUMN])
    added = np.full(len(among), np.nan)
    if among.any():
        held = _percent(outcomes.withstood(columns, among))
        added[:] = share = held.mean()
        added[among] += (held - share) / among.mean()
    return added


def bounds_of(score: str, summed: Sequence[str] = ()) -> tuple[float, float]:
    """Return the least and the most that an example can add to a score, in percent."""
    return 0.0, 100.0 * (len(summed) if score == "total" else 1)


def _percent(withstood: NDArray[np.bool_]) -> Contributions:
    return 100.0 * withstood.astype(np.float64)
