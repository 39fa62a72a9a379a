"""Smooth Tchebycheff: a smooth maximum of weighted distances, in which every objective counts."""

import torch
from pydantic import PositiveFloat

from moat.objectives import LossMatrix
from moat.scalarizers.base import EVERY_OBJECTIVE, LossScalarizer, scalarizer
from moat.scalarizers.distance import (
    Ideal,
    preference_row,
    preferred_distances,
    require_named,
)
from moat.scalarizers.weighted import Preference
from moat.types import Mask, Weights


@scalarizer("smooth-tchebycheff")
class SmoothTchebycheff(LossScalarizer):
    """The smooth maximum of the weighted distances: μ log Σᵢ exp(pᵢ (Lᵢ − zᵢ) / μ).

    Lᵢ is the mean loss of objective i over the batch, pᵢ its number in the `preference` (1 for each
    objective where none is given), zᵢ its value in the `ideal` point, μ the `temperature`. Its
    gradient weights objective i by pᵢ sᵢ, where s is the softmax of pᵢ (Lᵢ − zᵢ) / μ. A small μ
    gives `tchebycheff`, a large one fixed weights in proportion to p.

    Raises DefinitionError for a preference or an ideal point that names an unknown objective.

    Example:
        >>> losses = LossMatrix(torch.tensor([[0.5], [2.0], [1.5]]), ("natural", "pgd", "rt"))
        >>> SmoothTchebycheff(temperature=0.5).weights(losses)
        tensor([0.0351, 0.7054, 0.2595], dtype=torch.float64)

    Source: Lin et al., Smooth Tchebycheff Scalarization for Multi-Objective Optimization, 2024.
    """

    temperature: PositiveFloat = 0.1  # nats; μ
    preference: Preference | None = None  # factor of each distance; 1 for each where it is None
    ideal: Ideal = 0.0  # nats, of every objective or by name; 0 where a name is missing

    support = EVERY_OBJECTIVE

    def __post_init__(self) -> None:
        self.simplex = self.preference is None

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
        """Return pᵢ times the softmax of pᵢ (Lᵢ − zᵢ) / μ."""
        factors, found = preferred_distances(losses, self.preference, self.ideal)
        return factors * torch.softmax((found - found.amax()) / self.temperature, 0)
