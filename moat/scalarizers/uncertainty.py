"""Uncertainty weighting: a variance is learnt for each objective."""

from typing import Any

import torch
from pydantic import PositiveFloat
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Weights

LARGEST_LOG_VARIANCE = 20.0
"""The log-variance stays within ±20: weights lie between 2e-9 and 5e8."""


@scalarizer("uncertainty")
class UncertaintyWeighting(LaggedScalarizer):
    """Each loss is divided by a learnt variance: Σᵢ (e^(−sᵢ) Lᵢ + sᵢ / 2).

    Lᵢ is the mean loss of objective i over the batch, a cross-entropy, sᵢ = log σᵢ² its
    log-variance. The weight is e^(−sᵢ); at rest it is 1 / (2 Lᵢ). After each step every sᵢ follows
    the gradient flow of the same sum for the time `lr`: ds/dt = e^(−s) L − 1/2, solved exactly. For
    a small `lr` this is gradient descent with that learning rate; it never overshoots. Weights do
    not sum to 1.

    Example:
        >>> rule, names = UncertaintyWeighting(lr=10.0), ("natural", "pgd")
        >>> rule.weights(names)
        tensor([1., 1.], dtype=torch.float64)
        >>> rule.update(LossMatrix(torch.tensor([[0.5], [2.0]]), names))
        >>> rule.weights(names)
        tensor([1.0000, 0.2513], dtype=torch.float64)

    Source: Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses for
    Scene Geometry and Semantics, 2018, Section 3.2.
    """

    lr: PositiveFloat = 2.5e-3  # learning rate of the log-variances; the paper's, for 1e5 steps
    initial: float = 0.0  # log-variance before the first step

    needs_positive_losses = True

    def __post_init__(self) -> None:
        self.simplex = False
        self._log_variances: Tensor | None = None

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return e^(−s)."""
        if self._log_variances is None:
            start = torch.full((len(names),), self.initial, dtype=torch.float64, device="cpu")
            return start.clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE).neg().exp()
        return self._log_variances.neg().exp()

    def update(self, losses: LossMatrix) -> None:
        """Let the log-variances follow their gradient flow: σ² goes towards 2L."""
        means = losses.means().detach().double()
        last = self._log_variances
        if last is None:
            last = torch.full_like(means, self.initial).clamp(
                -LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE
            )
        kept = torch.exp(torch.full_like(means, -self.lr / 2))
        variances = kept * last.exp() + (1 - kept) * 2 * means
        self._log_variances = (
            variances.clamp(min=1e-300).log().clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the log-variances."""
        return {"log_variances": self._log_variances}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the log-variances."""
        self._log_variances = state["log_variances"]
