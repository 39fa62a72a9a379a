"""Nash-MTL: the objectives bargain over the direction of the step."""

from typing import Any

import torch
from pydantic import PositiveFloat
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.scalarizers.cosines import directions_of
from moat.types import Gramian, Weights

NEWTON_STEPS = 32


@scalarizer("nash")
class Nash(GradientScalarizer):
    """The Nash bargaining solution: Gα = 1/α, element by element.

    G is the Gramian of the objectives' gradients gᵢ, divided by its Frobenius norm as in the
    published code, and α > 0 the weights: the direction Σᵢ αᵢ gᵢ maximises Σᵢ log ⟨gᵢ, d⟩ in a
    ball. Gradients multiplied by constants give the same direction. α is the one minimum of
    αᵀGα / 2 − Σᵢ log αᵢ, found by Newton steps on the cosines of the gradients. The direction is
    then cut to the length `max_norm`. Weights do not sum to 1.

    The rule needs only the Gramian. An objective whose gradient is 0 has no influence.

    Example:
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> Nash(max_norm=100.0).weights(gramian, LossMatrix(torch.ones(2, 1), ("natural", "pgd")))
        tensor([2.0305, 1.0153], dtype=torch.float64)

    Source: Navon et al., Multi-Task Learning as a Bargaining Game, 2022.
    """

    max_norm: PositiveFloat = 1.0  # length of the direction, at most

    def __post_init__(self) -> None:
        self.simplex = False
        self._residual = torch.tensor(0.0, dtype=torch.float64, device="cpu")

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return α, shortened until the direction is no longer than `max_norm`."""
        found = directions_of(gramian)
        shares, self._residual = bargain(found.ridged())
        shares = torch.where(found.alive, shares, torch.zeros_like(shares))
        length = (shares @ found.cosines @ shares).clamp(min=0).sqrt()  # of Σ βᵢ gᵢ / ‖gᵢ‖
        norm = torch.linalg.vector_norm(gramian.detach().double())
        size = torch.minimum(norm.sqrt(), self.max_norm / length.clamp(min=1e-12))
        return shares / found.lengths * size

    def log(self) -> dict[str, Any]:
        """Return the relative residual of the last α: max |α (Gα) − 1|."""
        return {"residual": float(self._residual)}

    def state_dict(self) -> dict[str, Any]:
        """Return the last entry for the log; the weights have no state."""
        return {"residual": self._residual}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._residual = state["residual"]


def bargain(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return β > 0 with Cβ = 1/β, and its residual max |β (Cβ) − 1|; shapes (k, k) to (k,) and ().

    Damped Newton steps on βᵀCβ / 2 − Σ log β, which is self-concordant: β stays above 0, and comes
    near the minimum from any start. Before each step β gets its best length, βᵀCβ = k.
    """
    shares = matrix.abs().sum(1).rsqrt()
    for _ in range(NEWTON_STEPS):
        shares = shares * (len(matrix) / (shares @ matrix @ shares)).sqrt()
        slope = matrix @ shares - 1 / shares
        curvature = matrix + torch.diag(shares.square().reciprocal())
        move = torch.linalg.solve_ex(curvature, slope)[0]
        decrement = (slope @ move).clamp(min=0).sqrt()
        shares = shares - move / (1 + decrement)
    return shares, (shares * (matrix @ shares) - 1).abs().amax()
