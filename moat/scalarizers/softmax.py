"""The tempered maximum of the mean losses."""

import torch
from pydantic import PositiveFloat

from moat.objectives import LossMatrix
from moat.scalarizers.base import EVERY_OBJECTIVE, LossScalarizer, scalarizer
from moat.scalarizers.distance import distances
from moat.types import Mask, Weights


@scalarizer("softmax")
class Softmax(LossScalarizer):
    """Weights that grow with the loss: the softmax of Lᵢ / T over the threats.

    Lᵢ is the mean loss of threat i over the batch, T the `temperature`. The step descends the
    tempered maximum T log Σᵢ exp(Lᵢ / T). A small T gives `batch-max`, a large one `average`. On
    the simplex, these weights maximise Σᵢ wᵢ Lᵢ plus T times their entropy.

    Example:
        >>> losses = LossMatrix(torch.tensor([[0.5], [2.0], [1.5]]), ("natural", "pgd", "rt"))
        >>> Softmax(temperature=0.5).weights(losses)
        tensor([0.0000, 0.7311, 0.2689], dtype=torch.float64)

    Source: Wang et al., Adversarial Attack Generation Empowered by Min-Max Optimization, 2021,
    for weights on the simplex with a penalty; the entropy takes the place of their distance from
    equal weights.
    """

    temperature: PositiveFloat = 0.5  # nats; T
    include_natural: bool = False  # whether the natural loss is one of those weighed

    support = EVERY_OBJECTIVE

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the threats, and the natural objective if it is included."""
        return (torch.arange(len(names), device="cpu") > 0) | self.include_natural

    def weights(self, losses: LossMatrix) -> Weights:
        """Return the softmax of the measured mean losses; 0 for objectives outside the plan."""
        found = distances(losses, self.plan(losses.names, 0))
        return torch.softmax((found - found.amax()) / self.temperature, 0)
