"""IMTL-G: the direction that is as close to one gradient as to every other."""

import torch

from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import directions_of
from moat.types import Gramian, Weights


@scalarizer("imtl-g")
class IMTLG(GradientScalarizer):
    """The combination Σᵢ αᵢ gᵢ whose projections onto all gradients are equal, Σᵢ αᵢ = 1.

    gᵢ is the gradient of objective i and uᵢ its direction; ⟨d, uᵢ⟩ is the same for every i. With
    the matrix C of the cosines, αᵢ is (C⁻¹1)ᵢ / ‖gᵢ‖, divided by the sum over all objectives.
    Weights sum to 1 and may be negative. An objective whose gradient is 0 has the weight 0.

    Example:
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> IMTLG().weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([0.6667, 0.3333], dtype=torch.float64)

    Source: Liu et al., Towards Impartial Multi-task Learning, 2021.
    """

    scale_invariant = True

    def __post_init__(self) -> None:
        self.simplex = False

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return C⁻¹1 over the lengths, divided by its sum; zeros if the sum is 0."""
        found = directions_of(gramian)
        solved: torch.Tensor = torch.linalg.solve_ex(found.ridged(), found.alive.double())[0]
        shares = torch.where(found.alive, solved / found.lengths, torch.zeros_like(solved))
        shares = shares / shares.abs().amax().clamp(min=1e-300)
        total = shares.sum()
        unusable = total.abs() < 1e-9  # the sum is rounding: no multiple of it sums to 1
        return torch.where(unusable, torch.zeros_like(shares), shares / total)
