"""UPGrad: each gradient is freed of its conflicts, and the results are averaged."""

import torch
from torch import Tensor

from moat.geometry.enumeration import every_support
from moat.geometry.simplex import EXACT_AT_MOST
from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import directions_of
from moat.types import Gramian, Weights

SWEEPS = 500


@scalarizer("upgrad")
class UPGrad(GradientScalarizer):
    """The mean of the gradients, each projected onto the directions that lower every objective.

    The projection of gᵢ onto the cone {d : ⟨d, gⱼ⟩ ≥ 0 for every j} is gᵢ + Σⱼ xⱼ gⱼ, with the x ≥
    0 that makes it shortest. The step is the mean of the k projections: it lowers every objective
    to first order, and scales with each gradient. Without a conflict it is the mean of the
    gradients. Weights do not sum to 1.

    Up to 14 objectives x is exact: every set of them is tried. With more, it is found by coordinate
    descent.

    Example:
        >>> gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
        >>> weights = UPGrad().weights(
        ...     gradients @ gradients.T, LossMatrix(torch.ones(2, 1), ("natural", "pgd"))
        ... )
        >>> weights, weights.float() @ gradients  # the second gradient is turned to (0, 1)
        (tensor([1.0000, 0.7500], dtype=torch.float64), tensor([0.2500, 0.7500]))

    Source: Quinton and Rey, Jacobian Descent for Multi-Objective Optimization, 2024.
    """

    scale_invariant = True

    def __post_init__(self) -> None:
        self.simplex = False

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return the mean of the weights of the projections."""
        found = directions_of(gramian)
        find = added_by_set if len(found.lengths) <= EXACT_AT_MOST else added_by_sweeps
        added = find(found.ridged())  # of directions: row i is for objective i
        added = added * found.lengths[:, None] / found.lengths
        added = torch.where(found.alive & found.alive[:, None], added, torch.zeros_like(added))
        return (1 + added.sum(0)) / len(added)


def added_by_set(cosines: Tensor) -> Tensor:
    """Return the z ≥ 0 that makes uᵢ + Σⱼ zⱼ uⱼ shortest, a row for each i.

    Shapes (k, k) to (k, k). On the set of the j with zⱼ > 0 the conditions are linear; every set
    is solved in one batch.
    """
    k = len(cosines)
    inside = every_support(k, cosines.device).to(cosines)
    systems = cosines * inside[:, :, None] * inside[:, None, :] + torch.diag_embed(1 - inside)
    sides = -cosines * inside[:, :, None]  # (n, k, k): a column for each i
    solved: Tensor = torch.linalg.solve_ex(systems, sides)[0]
    added = torch.cat([torch.zeros_like(cosines)[None], solved.clamp(min=0).mT])  # (n + 1, i, k)
    whole = added + torch.eye(k, dtype=cosines.dtype, device=cosines.device)
    lengths = torch.einsum("nij,jl,nil->ni", whole, cosines, whole)
    best = torch.where(lengths.isfinite(), lengths, torch.inf).argmin(0)  # (i,)
    return added.gather(0, best[None, :, None].expand(1, k, k)).squeeze(0)


def added_by_sweeps(cosines: Tensor) -> Tensor:
    """Return the same for any k, by coordinate descent."""
    k = len(cosines)
    added = torch.zeros_like(cosines)
    whole = torch.eye(k, dtype=cosines.dtype, device=cosines.device)
    for _ in range(SWEEPS):
        for j in range(k):
            slope = (whole + added) @ cosines[:, j]
            value = (added[:, j] - slope / cosines[j, j]).clamp(min=0)
            added[:, j] = value
    return added
