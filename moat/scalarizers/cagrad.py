"""CAGrad: the average gradient, turned towards the objective that would fall least."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from moat.geometry.enumeration import RIDGE, every_support
from moat.geometry.simplex import EXACT_AT_MOST, solve
from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import symmetric
from moat.types import Gramian, Weights

SHORTEST = 1e-5
"""Length of g_w, relative to the longest gradient, below which it has no direction."""
SHIFT_HALVINGS = 35


@scalarizer("cagrad")
class CAGrad(GradientScalarizer):
    """The direction near the average gradient whose smallest descent is the largest.

    It maximises minᵢ ⟨gᵢ, d⟩ subject to ‖d − g₀‖ ≤ c ‖g₀‖, where gᵢ is the gradient of objective i
    and g₀ the mean of all. The solution is d = g₀ + (c ‖g₀‖ / ‖g_w‖) g_w with g_w = Σᵢ wᵢ gᵢ, where
    w on the simplex minimises ⟨g_w, g₀⟩ + c ‖g₀‖ ‖g_w‖. The weight of gᵢ is hence
    1/k + (c ‖g₀‖ / ‖g_w‖) wᵢ for k objectives. c = 0 is the average; from c = 1 on any Pareto
    optimum may be reached. Weights do not sum to 1: as in the published code, d is divided by
    1 + c² unless `rescale` says otherwise.

    Up to 14 objectives w is exact: every support has a closed form. With more, it is found by
    bisection, with a quadratic program in each round.

    Example:
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> CAGrad(c=0.5).weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([0.8472, 0.4000], dtype=torch.float64)

    Source: Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, 2021.
    """

    scale_invariant = True
    c: Annotated[float, Field(ge=0)] = 0.5  # radius around the average gradient, in its lengths
    rescale: Literal["none", "1+c", "1+c^2"] = "1+c^2"  # divisor of the direction

    def __post_init__(self) -> None:
        self.simplex = False

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return 1/k + (c ‖g₀‖ / ‖g_w‖) wᵢ, divided by what `rescale` says."""
        gramian = symmetric(gramian)
        size = gramian.diagonal().amax()
        gramian = gramian / torch.where(size > 0, size, torch.ones_like(size))
        k = len(gramian)
        products = gramian.mean(1)  # of each gradient with the average
        radius = self.c * products.mean().clamp(min=0).sqrt()
        find = by_support if k <= EXACT_AT_MOST else by_halving
        turned = find(gramian, products, radius)
        length = _length(turned[None], gramian).clamp(min=SHORTEST)
        divisor = {"none": 1.0, "1+c": 1 + self.c, "1+c^2": 1 + self.c**2}[self.rescale]
        return (1 / k + radius / length * turned) / divisor


def by_support(gramian: Tensor, products: Tensor, radius: Tensor) -> Tensor:
    """Return w (k,) on the simplex with the least wᵀb + r √(wᵀGw), exactly.

    Shapes (k, k), (k,) and (). On a support with the inverse A of its part of G the conditions
    w = (t / r) (ν A1 − Ab), Σw = 1 and wᵀGw = t² give (ν a − β)² = β² − a (γ − r²), where
    a = 1ᵀA1, β = 1ᵀAb and γ = bᵀAb. All supports are tried in one batch.
    """
    chosen = every_support(len(gramian), gramian.device)
    inside = chosen.to(gramian)
    ridge = RIDGE * torch.eye(len(gramian), dtype=gramian.dtype, device=gramian.device)
    systems = (gramian + ridge) * inside[:, :, None] * inside[:, None, :]
    systems = systems + torch.diag_embed(1 - inside)
    sides = torch.stack([inside, products * inside], 2)
    solved: Tensor = torch.linalg.solve_ex(systems, sides)[0]
    ones, other = solved.unbind(2)  # A1 and Ab, (n, k)
    a, beta, gamma = ones.sum(1), other.sum(1), (other * products).sum(1)
    root = (beta.square() - a * (gamma - radius.square())).clamp(min=1e-30).sqrt()
    multiplier = (root + beta) / a
    found = (multiplier[:, None] * ones - other) / root[:, None] * inside
    near = found.clamp(min=0)
    near = near / near.sum(1, keepdim=True)
    value = near @ products + radius * _length(near, gramian)
    value = torch.where(value.isfinite(), value, torch.inf)
    # Any point of the simplex may be compared: the optimum is among them, or near one.
    return near.index_select(0, value.argmin().view(1)).squeeze(0)


def by_halving(gramian: Tensor, products: Tensor, radius: Tensor) -> Tensor:
    """Return the same for any k: w gives the shortest combination of gᵢ + τ g₀, τ = ‖g_w‖ / r.

    At the right τ, ‖g_w‖ − τ r changes its sign; it is found by bisection of log τ.
    """
    low, high = torch.full_like(radius, -14.0), torch.full_like(radius, 7.0)
    mean = products.mean()
    weights = torch.full_like(products, 1 / len(products))
    for _ in range(SHIFT_HALVINGS):
        middle = (low + high) / 2
        tau = middle.exp()
        shifted = gramian + tau * (products[:, None] + products) + tau.square() * mean
        weights = solve(shifted).weights
        longer = _length(weights[None], gramian).squeeze(0) > tau * radius
        low, high = torch.where(longer, middle, low), torch.where(longer, high, middle)
    return weights


def _length(weights: Tensor, gramian: Tensor) -> Tensor:
    """Return ‖g_w‖ of each row of weights, (n, k) to (n,)."""
    return ((weights @ gramian) * weights).sum(1).clamp(min=0).sqrt()
