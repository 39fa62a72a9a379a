"""The examples that only one of several runs withstands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from moat.errors import UnsearchedError
from moat.names import NATURAL
from moat.outcomes import (
    NATURAL_SEARCHES,
    Outcomes,
    searches_of,
    union_searches,
    withstood,
)
from moat.outcomes.searches import Searches
from moat.report.front.objectives import threat_title
from moat.report.side_by_side.runs import ComparedRun


@dataclass(frozen=True, eq=False)
class Withstanding:
    """The examples that each run withstands: natural images, a threat at all strengths, or union.

    `held` is of shape (runs, examples); None where a run was not searched for every example.
    """

    what: str
    ids: NDArray[np.int64]
    held: NDArray[np.bool_] | None

    @property
    def all(self) -> int | None:
        """The number of examples that every run withstands."""
        return None if self.held is None else int(self.held.all(0).sum())

    @property
    def none(self) -> int | None:
        """The number of examples that no run withstands."""
        return None if self.held is None else int((~self.held.any(0)).sum())

    @property
    def some(self) -> int | None:
        """The number of examples that some runs withstand, but not all."""
        if self.held is None:
            return None
        count = self.held.sum(0)
        return int(((count > 1) & (count < len(self.held))).sum())

    def only(self, run: int) -> list[int] | None:
        """Return the ids of the examples that this run alone withstands."""
        if self.held is None:
            return None
        alone = self.held[run] & (self.held.sum(0) == 1)
        return [int(number) for number in self.ids[alone]]

    @property
    def p(self) -> float | None:
        """McNemar's exact p of two runs: how likely so unequal a split is of equal runs.

        p = min(1, 2 · P[X ≤ min(b, c)]), X ~ Binomial(b + c, 1/2), where b and c examples are
        withstood by one run alone. None of more than two runs.

        Source: McNemar, Note on the sampling error of the difference between correlated
        proportions or percentages, Psychometrika 12, 1947; its exact form.
        """
        if self.held is None or len(self.held) != 2:
            return None
        ours, theirs = (int(np.sum(self.held[a] & ~self.held[1 - a])) for a in (0, 1))
        return min(1.0, 2 * float(bdtr(min(ours, theirs), ours + theirs, 0.5)))


def withstandings(runs: Sequence[ComparedRun]) -> tuple[Withstanding, ...]:
    """Return which examples each run withstands, of runs whose examples agree."""
    first = runs[0].outcomes
    asked: dict[str, Searches] = {NATURAL: NATURAL_SEARCHES}
    for name in runs[0].point.scored:
        asked[threat_title(name)] = tuple(c for each in searches_of(first, name) for c in each)
    asked["union"] = union_searches(first, first.threats)
    return tuple(
        Withstanding(what, first.ids, _held([run.outcomes for run in runs], searches))
        for what, searches in asked.items()
    )


def _held(each: Sequence[Outcomes], searches: Searches) -> NDArray[np.bool_] | None:
    try:
        return np.stack([withstood(outcomes, searches) for outcomes in each])
    except UnsearchedError:
        return None
