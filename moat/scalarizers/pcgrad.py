"""PCGrad: each gradient loses its component against every other that it conflicts with."""

import torch
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import directions_of
from moat.transfers import send
from moat.types import Gramian, Mask, Weights


@scalarizer("pcgrad")
class PCGrad(GradientScalarizer):
    """The mean of the gradients, each first projected, in random order, where it conflicts.

    A copy v of each gradient gᵢ meets the others in turn: if ⟨v, gⱼ⟩ < 0, v loses its component
    along gⱼ, ⟨v, gⱼ⟩ / ‖gⱼ‖² gⱼ. With more than two objectives the result may raise an objective
    and depends on the order, which is drawn for each i from the generator of the step's plan.
    Weights do not sum to 1.

    Example:
        >>> gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
        >>> weights = PCGrad().weights(
        ...     gradients @ gradients.T, LossMatrix(torch.ones(2, 1), ("natural", "pgd"))
        ... )
        >>> weights
        tensor([1.0000, 0.7500], dtype=torch.float64)

    Source: Yu et al., Gradient Surgery for Multi-Task Learning, 2020.
    """

    scale_invariant = True
    permutes = False  # it draws

    def __post_init__(self) -> None:
        self.simplex = False
        self._order: Tensor | None = None

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Draw the order of the coming step; return every objective."""
        draw = torch.rand(len(names), len(names), generator=generator, device="cpu")
        self._order = draw.argsort(1)
        return torch.ones(len(names), dtype=torch.bool, device="cpu")

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return the mean of the weights of the projected gradients."""
        if self._order is None:
            self.plan(losses.names, 0)
        assert self._order is not None
        found = directions_of(gramian)
        rows = torch.diag(found.lengths)  # each gradient, as a combination of directions
        own = torch.arange(len(rows), device=rows.device)
        for turn in send(self._order, rows.device).T:  # the j of every i
            slopes = (rows * found.cosines[turn]).sum(1)
            conflicts = (slopes < 0) & (turn != own)
            loss = torch.where(conflicts, slopes, torch.zeros_like(slopes))
            rows = rows.scatter_add(1, turn[:, None], -loss[:, None])
        return (rows / found.lengths).mean(0)
