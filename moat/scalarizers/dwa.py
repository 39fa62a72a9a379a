"""Dynamic weight average: more weight for losses that fall more slowly."""

from typing import Any

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from moat.objectives import LossMatrix
from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Weights


@scalarizer("dwa")
class DWA(LaggedScalarizer):
    """The softmax over objectives of rᵢ / T, where rᵢ is the ratio of Lᵢ's last two averages.

    Lᵢ is the mean loss of objective i; its averages run over `window` steps each, where the paper
    takes an epoch. T is the `temperature`. Weights are equal until there are two averages. The
    paper multiplies them by the number of objectives; here they sum to 1.

    Example:
        >>> rule, names = DWA(window=1), ("natural", "pgd")
        >>> rule.update(LossMatrix(torch.tensor([[1.0], [1.0]]), names))
        >>> rule.update(LossMatrix(torch.tensor([[0.2], [0.8]]), names))  # the first falls faster
        >>> rule.weights(names)
        tensor([0.4256, 0.5744], dtype=torch.float64)

    Source: Liu, Johns and Davison, End-to-End Multi-Task Learning with Attention, 2019.
    """

    scale_invariant = True
    temperature: PositiveFloat = 2.0  # of the ratios, which have no unit
    window: PositiveInt = 50  # steps of one average; the paper takes an epoch

    needs_positive_losses = True

    def __post_init__(self) -> None:
        self._steps = 0
        self._sum: Tensor | None = None  # of the window that is being filled
        self._last: Tensor | None = None  # average of the one before
        self._weights: Tensor | None = None

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the weights since the last full window; equal before the second."""
        if self._weights is None:
            return torch.full((len(names),), 1 / len(names), dtype=torch.float64, device="cpu")
        return self._weights

    def update(self, losses: LossMatrix) -> None:
        """Add the step's mean losses; at the end of a window, choose the weights."""
        means = losses.means().detach().double()
        self._sum = means if self._sum is None else self._sum + means
        self._steps += 1
        if self._steps % self.window:
            return
        average, last = self._sum / self.window, self._last
        self._sum, self._last = None, average
        if last is not None:
            ratio = torch.where(last > 0, average / last, torch.ones_like(last))
            ratio = ratio.clamp(max=1e100) / self.temperature
            self._weights = torch.softmax(ratio, 0)

    def state_dict(self) -> dict[str, Any]:
        """Return the sum, the last average, the weights and the count of steps."""
        return {
            "steps": self._steps,
            "sum": self._sum,
            "last": self._last,
            "weights": self._weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._steps = state["steps"]
        self._sum, self._last = state["sum"], state["last"]
        self._weights = state["weights"]
