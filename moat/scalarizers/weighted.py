"""Fixed weights: linear scalarization."""

from typing import Annotated

import torch
from pydantic import AfterValidator, NonNegativeFloat

from moat.number_bounds import Bounded
from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.scalarizers.by_name import require_each, row_of
from moat.types import Mask, Weights


def some_above_zero(numbers: dict[str, float]) -> dict[str, float]:
    """Return the numbers of the objectives; raise ValueError if all of them are 0."""
    if not any(numbers.values()):
        raise ValueError("a preference gives at least one objective a number above 0")
    return numbers


Weight = Annotated[NonNegativeFloat, Bounded]
Preference = Annotated[dict[str, Weight], AfterValidator(some_above_zero)]
"""A number of at least 0 for each objective, by its name."""


@scalarizer("weighted")
class Weighted(LaggedScalarizer):
    """Fixed weights by name: the loss is Σᵢ pᵢ Lᵢ, where p is the `preference`.

    Lᵢ is the mean loss of objective i. Every threat has a number; the natural loss has 0 unless it
    is named. An objective with 0 is neither searched nor measured. The numbers are used as they
    are, so their sum scales the step; with `normalize` they are divided by their sum.

    Raises DefinitionError for a preference that names an unknown objective or leaves a threat out.

    Example:
        >>> rule = Weighted(preference={"natural": 0.2, "pgd": 0.5, "rt": 0.3})
        >>> rule.weights(("natural", "pgd", "rt"))
        tensor([0.2000, 0.5000, 0.3000], dtype=torch.float64)

    Source: Zadeh, Optimality and Non-Scalar-Valued Performance Criteria, 1963.
    """

    scale_invariant = True
    preference: Preference  # weight of each objective
    normalize: bool = False  # whether the weights are divided by their sum

    def __post_init__(self) -> None:
        self.simplex = self.normalize or abs(sum(self.preference.values()) - 1) < 1e-9

    def require_objectives(self, names: tuple[str, ...]) -> None:
        """Raise DefinitionError unless the preference fits the objectives."""
        require_each(self.preference, names, "preference")

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the objectives with a weight above 0."""
        self.require_objectives(names)
        return row_of(self.preference, names) > 0

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the preference, in the order of the names."""
        self.require_objectives(names)
        row = row_of(self.preference, names)
        return row / row.sum() if self.normalize else row
