"""The searches of each score: the one place that defines what an example has to withstand.

A score in percent is a mean over groups of searches: of the share of the examples that withstood
every search of a group. The accuracy at a strength is of one group with one search, a threat's
score of a group a strength, an ensemble's of one group with all its members' searches, the union of
one group with everything.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from moat.outcomes.columns import NATURAL_COLUMN, Column
from moat.outcomes.matrix import Outcomes
from moat.public import public

Searches = tuple[Column, ...]
"""Columns of the outcome matrix that an example has to withstand together."""
NATURAL_SEARCHES: Searches = (NATURAL_COLUMN,)


@public
def searches_of(outcomes: Outcomes, name: str) -> list[Searches]:
    """Return the groups of searches of a threat or an ensemble of any name.

    Raises MoatError, by name, for a threat that was not evaluated.
    """
    columns = outcomes.of(name)
    if name in outcomes.ensembles:
        return [tuple(columns)]
    return [(column,) for column in columns]


@public
def union_searches(outcomes: Outcomes, names: Iterable[str]) -> Searches:
    """Return the natural image and every search of these threats and ensembles."""
    return (NATURAL_COLUMN, *(column for name in names for column in outcomes.of(name)))


@public
def withstood(
    outcomes: Outcomes, searches: Sequence[Column], *, conditional: bool = False
) -> NDArray[np.bool_]:
    """Return which examples withstood all of these searches.

    `conditional`: only of the examples that are classified correctly without a search. Raises
    UnsearchedError, by name, for omitted searches.
    """
    among = outcomes.withstood(NATURAL_SEARCHES) if conditional else None
    return outcomes.withstood(searches, among)
