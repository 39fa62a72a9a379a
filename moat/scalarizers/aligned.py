"""Aligned-MTL: the gradients become orthogonal and equally long before they are added."""

import torch

from moat.geometry.eigen import eigen_of
from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import symmetric
from moat.types import Gramian, Weights


@scalarizer("aligned")
class Aligned(GradientScalarizer):
    """Equal weights for gradients that were made orthogonal and equally long.

    The matrix of the gradients is replaced by the nearest one whose rows are orthogonal, with their
    common length the smallest singular value. With the eigenvalues λ and eigenvectors V of the
    Gramian the weights are √λ_min V diag(λ^(−1/2)) Vᵀ p, where pᵢ = 1/k for k objectives and λ_min
    is the smallest eigenvalue that is not 0; directions without one are left out. An eigenvalue
    below k roundings of the largest counts as 0. Weights may be negative, and do not sum to 1.

    Example:
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> Aligned().weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([0.5000, 0.2500], dtype=torch.float64)

    Source: Senushkin et al., Independent Component Alignment for Multi-Task Learning, 2023.
    """

    scale_invariant = True

    def __post_init__(self) -> None:
        self.simplex = False

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return √λ_min V diag(λ^(−1/2)) Vᵀ p."""
        rounding = len(gramian) * torch.finfo(gramian.dtype).eps
        gramian = symmetric(gramian)
        size = gramian.diagonal().amax()
        values, vectors = eigen_of(gramian / torch.where(size > 0, size, torch.ones_like(size)))
        kept = values > rounding * values.amax().clamp(min=0)
        smallest = torch.where(kept, values, torch.inf).amin()
        scales = torch.where(kept, (smallest / values.clamp(min=1e-300)).sqrt(), 0.0)
        scales = torch.where(kept.any(), scales, torch.zeros_like(scales))
        return vectors @ (scales * vectors.mean(0))
