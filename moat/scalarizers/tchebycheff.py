"""Tchebycheff: the objective with the largest weighted distance from its ideal value."""

import torch
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import LossScalarizer, scalarizer
from moat.scalarizers.distance import (
    Ideal,
    preference_row,
    preferred_distances,
    require_named,
)
from moat.scalarizers.weighted import Preference
from moat.types import Mask, Weights


@scalarizer("tchebycheff")
class Tchebycheff(LossScalarizer):
    """The largest weighted distance to the ideal point: maxᵢ pᵢ (Lᵢ − zᵢ).

    Lᵢ is the mean loss of objective i over the batch, pᵢ its number in the `preference` (1 for each
    objective where none is given), zᵢ its value in the `ideal` point. The step descends the one
    objective where the maximum is attained, with the weight pᵢ; among equals, the first one. Each
    Pareto optimum is the minimum for some preference, even if the front is not convex.

    Raises DefinitionError for a preference or an ideal point that names an unknown objective.

    Example:
        >>> losses = LossMatrix(torch.tensor([[0.5], [2.0], [1.5]]), ("natural", "pgd", "rt"))
        >>> Tchebycheff().weights(losses)
        tensor([0., 1., 0.], dtype=torch.float64)
        >>> Tchebycheff(preference={"natural": 1.0, "pgd": 1.0, "rt": 2.0}).weights(losses)
        tensor([0., 0., 2.], dtype=torch.float64)

    Source: Bowman, On the Relationship of the Tchebycheff Norm and the Efficient Frontier of
    Multiple-Criteria Objectives, 1976.
    """

    preference: Preference | None = None  # factor of each distance; 1 for each where it is None
    ideal: Ideal = 0.0  # nats, of every objective or by name; 0 where a name is missing

    support = 1

    def __post_init__(self) -> None:
        self.simplex = self.preference is None
        self.scale_invariant = self.ideal == 0.0

    def require_objectives(self, names: tuple[str, ...]) -> None:
        """Raise DefinitionError unless preference and ideal point fit the objectives."""
        require_named(self.preference, self.ideal, names)

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the objectives whose number in the preference is above 0."""
        self.require_objectives(names)
        return preference_row(self.preference, names) > 0

    def weights(self, losses: LossMatrix) -> Weights:
        """Return pᵢ at the objective with the largest pᵢ (Lᵢ − zᵢ), and 0 elsewhere."""
        factors, found = preferred_distances(losses, self.preference, self.ideal)
        return factors * at_largest(found)


def at_largest(values: Tensor) -> Tensor:
    """Return 1 at the first of the largest values, and 0 elsewhere; no value is read."""
    places = torch.arange(len(values), device=values.device)
    return (places == values.argmax()).to(values)
