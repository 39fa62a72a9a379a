"""FAMO: every loss falls at the same rate, without a gradient for each."""

from typing import Any

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.adam import Adam
from moat.scalarizers.base import EVERY_OBJECTIVE, LossScalarizer, scalarizer
from moat.types import Weights

OFFSET = 1e-8
"""Added to each loss, whose logarithm is taken."""


@scalarizer("famo")
class FAMO(LossScalarizer):
    """Weights under which the slowest relative fall of a loss is as fast as possible.

    With z the softmax of learnt logits ξ, the weight of objective i is zᵢ / Lᵢ, divided by the sum
    over all objectives: the step descends Σᵢ zᵢ log Lᵢ. Lᵢ is the mean loss of objective i over the
    batch. Then ξ moves, by Adam with learning rate `lr` and weight decay `decay`, down the gradient
    Jᵀδ, where J is the Jacobian of the softmax and δᵢ the fall of log Lᵢ in the step.

    The published code measures δ on the step's batch again; here it is the fall from the last
    batch to this one, which costs no further forward.

    Example:
        >>> rule, names = FAMO(), ("natural", "pgd")
        >>> rule.weights(LossMatrix(torch.tensor([[0.5], [2.0]]), names))
        tensor([0.8000, 0.2000], dtype=torch.float64)

    Source: Liu et al., FAMO: Fast Adaptive Multitask Optimization, 2023.
    """

    lr: PositiveFloat = 0.025  # learning rate of the logits ξ
    decay: NonNegativeFloat = 0.01  # weight decay of ξ; γ of the paper

    support = EVERY_OBJECTIVE

    needs_positive_losses = True

    def __post_init__(self) -> None:
        self._logits: Tensor | None = None
        self._last: Tensor | None = None  # log losses of the last step
        self._adam = Adam(self.lr, self.decay)

    def weights(self, losses: LossMatrix) -> Weights:
        """Return zᵢ / Lᵢ, divided by their sum."""
        logs = _logs(losses)
        logits = torch.zeros_like(logs) if self._logits is None else self._logits.to(logs)
        return torch.softmax(torch.log_softmax(logits, 0) - logs, 0)

    def update(self, losses: LossMatrix) -> None:
        """Move ξ by the fall of the log losses since the last step."""
        logs = _logs(losses)
        last, self._last = self._last, logs
        if last is None:
            self._logits = torch.zeros_like(logs)
            return
        assert self._logits is not None
        z, fall = torch.softmax(self._logits, 0), last - logs
        self._logits = self._adam.moved(self._logits, z * (fall - (z * fall).sum()))

    def state_dict(self) -> dict[str, Any]:
        """Return the logits, the last log losses, and Adam's moments."""
        return {"logits": self._logits, "last": self._last, "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._logits, self._last = state["logits"], state["last"]
        self._adam.load_state_dict(state["adam"])


def _logs(losses: LossMatrix) -> Tensor:
    return (losses.means().detach().double() + OFFSET).log()
