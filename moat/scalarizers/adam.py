"""Adam for a few numbers that a scalarizer learns; torch's keeps a graph and types of its own."""

from typing import Any

import torch
from torch import Tensor


class Adam:
    """Adam with coupled weight decay and PyTorch's constants, for one tensor.

    Example:
        >>> Adam(lr=0.1).moved(torch.zeros(2), torch.tensor([3.0, -5.0]))
        tensor([-0.1000,  0.1000])

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015.
    """

    first, second, tiny = 0.9, 0.999, 1e-8

    def __init__(self, lr: float, decay: float = 0.0) -> None:
        self.lr, self.decay = lr, decay
        self._steps = 0
        self._moments: tuple[Tensor, Tensor] | None = None

    def moved(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the values after a step down the gradient."""
        gradient = gradient + self.decay * values
        zero = torch.zeros_like(values)
        mean, square = (zero, zero) if self._moments is None else self._moments
        mean = self.first * mean + (1 - self.first) * gradient
        square = self.second * square + (1 - self.second) * gradient.square()
        self._moments, self._steps = (mean, square), self._steps + 1
        mean = mean / (1 - self.first**self._steps)
        square = square / (1 - self.second**self._steps)
        return values - self.lr * mean / (square.sqrt() + self.tiny)

    def state_dict(self) -> dict[str, Any]:
        """Return both moments and the count of steps."""
        moments = None if self._moments is None else list(self._moments)
        return {"steps": self._steps, "moments": moments}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._steps = state["steps"]
        self._moments = None if state["moments"] is None else tuple(state["moments"])
