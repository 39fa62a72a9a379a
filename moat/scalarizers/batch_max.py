"""The one threat that is worst on average over the batch."""

import torch

from moat.objectives import LossMatrix
from moat.scalarizers.base import LossScalarizer, scalarizer
from moat.scalarizers.distance import distances
from moat.scalarizers.tchebycheff import at_largest
from moat.types import Mask, Weights


@scalarizer("batch-max")
class BatchMax(LossScalarizer):
    """The largest of the threats' mean losses: maxᵢ Lᵢ.

    Lᵢ is the mean loss of threat i over the batch. The whole batch trains against the one threat
    that is worst on average, where `max` takes the worst threat of each example. Among equal losses
    the first threat wins.

    Example:
        >>> losses = LossMatrix(torch.tensor([[0.5], [2.0], [1.5]]), ("natural", "pgd", "rt"))
        >>> BatchMax().weights(losses)
        tensor([0., 1., 0.], dtype=torch.float64)

    Source: Tramèr and Boneh, Adversarial Training and Robustness for Multiple Perturbations, 2019,
    whose maximum is the per-example one; over groups of examples it is Sagawa et al.,
    Distributionally Robust Neural Networks for Group Shifts, 2020.
    """

    scale_invariant = True
    include_natural: bool = False  # whether the natural loss is one of those compared

    support = 1

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the threats, and the natural objective if it is included."""
        return (torch.arange(len(names), device="cpu") > 0) | self.include_natural

    def weights(self, losses: LossMatrix) -> Weights:
        """Return 1 at the largest measured mean loss, and 0 elsewhere."""
        found = distances(losses, self.plan(losses.names, 0))
        return at_largest(found)
