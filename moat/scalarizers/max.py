"""Max AT: each example trains against its worst threat (Section 4.2)."""

import torch
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import LossScalarizer, scalarizer
from moat.types import Mask


@scalarizer("max")
class Max(LossScalarizer):
    """The per-example maximum over the threats' losses: R_max of Section 4.2.

    Each example is trained on one image, so the natural loss is neither measured nor descended. A
    maximum over the batch means would be another method. Among equal losses the first threat wins.
    On convex risks a minimiser is a stationary point of their weighted sum, under the average of
    these weights (Proposition 2).

    Example:
        >>> from moat.objectives import LossMatrix
        >>> values = torch.tensor([[0.1, 0.1], [2.0, 1.0], [1.0, 3.0]])
        >>> Max().weights(LossMatrix(values, ("natural", "pgd", "flow")))  # an example a column
        tensor([[0., 0.],
                [1., 0.],
                [0., 1.]])

    Source: Tramèr and Boneh, Adversarial Training and Robustness for Multiple Perturbations, 2019.
    """

    support = 1
    scale_invariant = True

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the threats."""
        return torch.arange(len(names), device="cpu") > 0

    def weights(self, losses: LossMatrix) -> Tensor:
        """Return 1 at the worst threat of each example, shape (objectives, batch)."""
        worst = losses.values[1:].argmax(0, keepdim=True) + 1
        # F.one_hot would look at the values, for which a GPU makes the host wait
        return torch.zeros_like(losses.values).scatter_(0, worst, 1.0)
