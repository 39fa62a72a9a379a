"""What withstood what, an example at a time, and every score as a pure function of it.

Scores are in percent. Section 3.1 of the paper counts only the examples that the model classifies
correctly to begin with, its tables do not say: `conditional=True` gives the former, and both are
always reported under their own names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moat.errors import MoatError, did_you_mean
from moat.types import NATURAL

WITHSTOOD, FELL, NOT_SEARCHED = 1, 0, -1


class Column(NamedTuple):
    """One searched strength of one threat; natural images are ("natural", 0)."""

    threat: str
    strength: int


NATURAL_COLUMN = Column(NATURAL, 0)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """An int8 matrix of shape (examples, columns): 1 withstood, 0 fell, −1 not searched.

    The first column is always the natural image. `ids` gives the examples' positions in their
    data set, so that runs can be compared an example at a time.
    """

    values: NDArray[np.int8]
    columns: tuple[Column, ...]
    ids: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.ids), len(self.columns)):
            raise ValueError(
                f"outcomes of shape {self.values.shape} for {len(self.ids)} examples and "
                f"{len(self.columns)} columns"
            )
        if not self.columns or self.columns[0] != NATURAL_COLUMN:
            raise ValueError("the first column of outcomes is the natural image")

    @property
    def threats(self) -> tuple[str, ...]:
        """The labels of the evaluated threats, in their order."""
        return tuple(dict.fromkeys(column.threat for column in self.columns[1:]))

    def of(self, threat: str) -> list[Column]:
        """Return the columns of a threat, one a strength; refuse one that has none, by name."""
        columns = [column for column in self.columns if column.threat == threat]
        if not columns:
            raise MoatError(
                f"the threat {threat!r} was not evaluated.{did_you_mean(threat, self.threats)}",
                hint=f"evaluated: {', '.join(self.threats) or 'none'}",
            )
        return columns

    def withstood(self, columns: Sequence[Column]) -> NDArray[np.bool_]:
        """Return the bool matrix (examples, columns); refuse what was not searched, by name."""
        picked = self.values[:, [self.columns.index(column) for column in columns]]
        gaps = (picked == NOT_SEARCHED).any(0)
        if gaps.any():
            column = columns[int(gaps.argmax())]
            raise MoatError(
                f"{column.threat!r} at strength {column.strength} was not searched for every "
                "example, so no score can be made of it."
            )
        return np.asarray(picked == WITHSTOOD)


def accuracy(outcomes: Outcomes, column: Column, *, conditional: bool = False) -> float:
    """Return the share of examples that withstood one column, in percent.

    `conditional`: among the examples classified correctly to begin with; NaN where there is none.
    """
    withstood = outcomes.withstood([column])[:, 0]
    if conditional:
        withstood = withstood[outcomes.withstood([NATURAL_COLUMN])[:, 0]]
    return 100.0 * float(withstood.mean()) if withstood.size else float("nan")


def robustness_score(outcomes: Outcomes, threat: str, *, conditional: bool = False) -> float:
    """Return the mean of a threat's accuracies over its strengths (Section 4.4)."""
    columns = outcomes.of(threat)
    return float(np.mean([accuracy(outcomes, c, conditional=conditional) for c in columns]))


def total(outcomes: Outcomes, threats: Iterable[str], *, conditional: bool = False) -> float:
    """Return the raw sum of the robustness scores, as the last row of Table 2 does."""
    return sum(robustness_score(outcomes, name, conditional=conditional) for name in threats)


def universal(
    outcomes: Outcomes, baseline: Outcomes, threats: Iterable[str], *, conditional: bool = False
) -> float:
    """Return the sum of the gains over the natural model, as Table 1 prints it.

    The text of Section 4.4 calls it an average; the table's figures are sums.
    """
    threats = list(threats)
    gained = total(outcomes, threats, conditional=conditional)
    return gained - total(baseline, threats, conditional=conditional)


def union(outcomes: Outcomes, threats: Iterable[str]) -> float:
    """Return the share of examples that withstood everything, the clean image included.

    Source: Maini et al., Adversarial Robustness Against the Union of Multiple Perturbation Models,
    2020, Section 3.
    """
    columns = [NATURAL_COLUMN, *(c for threat in threats for c in outcomes.of(threat))]
    return 100.0 * float(outcomes.withstood(columns).all(1).mean())


def summary(outcomes: Outcomes, threats: Sequence[str]) -> dict[str, object]:
    """Return every score that needs no baseline, by name; `threats` are those that are summed."""
    return {
        "natural": accuracy(outcomes, NATURAL_COLUMN),
        "accuracy": {
            name: {str(c.strength): accuracy(outcomes, c) for c in outcomes.of(name)}
            for name in outcomes.threats
        },
        "scores": {name: robustness_score(outcomes, name) for name in outcomes.threats},
        "conditional": {
            name: robustness_score(outcomes, name, conditional=True) for name in outcomes.threats
        },
        "summed": list(threats),
        "total": total(outcomes, threats),
        "union": union(outcomes, outcomes.threats),
        "examples": len(outcomes.ids),
    }
