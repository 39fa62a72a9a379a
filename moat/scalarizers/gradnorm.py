"""GradNorm: weights that keep the lengths of the weighted gradients in balance."""

from typing import Any

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.adam import Adam
from moat.scalarizers.base import GradientScalarizer, scalarizer
from moat.types import Gramian, Weights

SMALLEST_WEIGHT = 1e-6
"""Before the weights are divided by their sum: none dies."""


@scalarizer("gradnorm")
class GradNorm(GradientScalarizer):
    """Learnt weights: a loss that falls more slowly than the others gets a longer gradient.

    wᵢ is the weight of objective i and gᵢ its gradient. The target of the length wᵢ ‖gᵢ‖ is the
    mean length times rᵢ^a, where rᵢ is Lᵢ relative to its first value, divided by the mean of these
    ratios, and a is the `restoring` force. After each step Adam, with learning rate `lr`, moves w
    down the gradient of Σᵢ |wᵢ ‖gᵢ‖ − targetᵢ|; the targets are held fixed. The paper scales the
    weights to the number of objectives; here they sum to 1.

    Example:
        >>> rule, losses = GradNorm(lr=0.1), LossMatrix(torch.ones(2, 1), ("natural", "pgd"))
        >>> gramian = torch.diag(torch.tensor([1.0, 4.0]))  # orthogonal gradients of length 1 and 2
        >>> rule.weights(gramian, losses)
        tensor([0.5000, 0.5000], dtype=torch.float64)
        >>> rule.update(losses)
        >>> rule.weights(gramian, losses)  # the longer gradient weighs less
        tensor([0.5500, 0.4500], dtype=torch.float64)

    Source: Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
    Multitask Networks, 2018.
    """

    scale_invariant = True
    restoring: NonNegativeFloat = 1.5  # exponent of the relative training rates; the paper's α
    lr: PositiveFloat = 0.025  # learning rate of the weights

    needs_positive_losses = True

    def __post_init__(self) -> None:
        self._weights: Tensor | None = None  # they sum to the number of objectives
        self._first: Tensor | None = None  # mean losses of the first step
        self._lengths: Tensor | None = None  # of the gradients of the last step
        self._adam = Adam(self.lr)

    def weights(self, gramian: Gramian, losses: LossMatrix) -> Weights:
        """Return the weights of the last update, and remember the lengths of the gradients."""
        self._lengths = gramian.detach().double().diagonal().clamp(min=0).sqrt()
        if self._weights is None:
            self._weights = torch.ones_like(self._lengths)
        return self._weights / len(self._weights)

    def update(self, losses: LossMatrix) -> None:
        """Move the weights towards equal training rates."""
        means = losses.means().detach().double()
        if self._first is None:
            self._first = means
        if self._weights is None or self._lengths is None:  # nothing was weighed so far
            return
        ratios = torch.where(self._first > 0, means / self._first, torch.ones_like(means))
        rates = (ratios / ratios.mean().clamp(min=1e-300)) ** self.restoring
        longest = self._lengths.amax().clamp(min=1e-300)
        lengths = self._lengths / longest  # Adam does not see the scale of a gradient
        lacking = self._weights * lengths - (self._weights * lengths).mean() * rates
        moved = self._adam.moved(self._weights, lacking.sign() * lengths)
        moved = moved.clamp(min=SMALLEST_WEIGHT)
        self._weights = moved / moved.mean()

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, the first losses, the last lengths, and Adam's moments."""
        return {
            "weights": self._weights,
            "first": self._first,
            "lengths": self._lengths,
            "adam": self._adam.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._weights, self._first = state["weights"], state["first"]
        self._lengths = state["lengths"]
        self._adam.load_state_dict(state["adam"])
