"""What each example adds to a score: every score in percent is the mean of its contributions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moat.outcomes.columns import NATURAL_COLUMN
from moat.outcomes.matrix import Outcomes
from moat.types import NATURAL

Contributions = NDArray[np.float64]
"""Of shape (examples,)."""


def contributions(
    outcomes: Outcomes, score: str, *, summed: Sequence[str] = (), over: Sequence[str] = ()
) -> Contributions:
    """Return what each example adds, between 0 and 100; of a total, up to 100 for each threat.

    `score` is "natural", "union" (over all threats, or over those named), "total" (of `summed`),
    or a threat or ensemble. The mean over the examples is the score of `moat.outcomes`, and, since
    differences of runs on the same examples are means as well, of what can be paired. Raises
    UnsearchedError where it would touch what was not searched, MoatError for an unknown name.

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
    parts = [_percent(outcomes.withstood(strength)) for strength in together]
    return np.asarray(np.mean(parts, axis=0))


def _percent(withstood: NDArray[np.bool_]) -> Contributions:
    return 100.0 * withstood.astype(np.float64)
