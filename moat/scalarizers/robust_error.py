"""Weights by the running robust error of each threat."""

from typing import Any

import torch
from pydantic import PositiveInt
from torch import Tensor

from moat.errors import DefinitionError
from moat.objectives import LossMatrix
from moat.scalarizers.base import LaggedScalarizer, scalarizer
from moat.types import Mask, Weights


@scalarizer("robust-error")
class RobustError(LaggedScalarizer):
    """Weights in proportion to eᵢ = 1 - aᵢ, aᵢ the running accuracy against threat i.

    aᵢ is a running mean over the training batches: of all of them up to `window`, then each new one
    counts 1 / window. The weights start equal and lag one step. The natural loss has no weight.

    E-AT draws one threat for each batch by these weights, which is `sampled` with
    `rule = "robust-error"`.

    Example:
        >>> rule, names = RobustError(), ("natural", "pgd", "rt")
        >>> fell = torch.tensor([[True, True], [False, False], [True, False]])
        >>> rule.update(LossMatrix(torch.ones(3, 2), names, correct=fell))
        >>> rule.weights(names)
        tensor([0.0000, 0.6667, 0.3333], dtype=torch.float64)

    Source: Croce and Hein, Adversarial Robustness against Multiple and Single l_p-Threat Models
    via Quick Fine-Tuning of Robust Classifiers, 2022.
    """

    scale_invariant = True
    window: PositiveInt = 50  # batches

    def __post_init__(self) -> None:
        self._accuracy: Tensor | None = None  # running, (objectives,), float64
        self._steps = 0

    def plan(
        self, names: tuple[str, ...], batch: int, generator: torch.Generator | None = None
    ) -> Mask:
        """Return the threats."""
        return torch.arange(len(names), device="cpu") > 0

    def weights(self, names: tuple[str, ...]) -> Weights:
        """Return the errors of the threats, divided by their sum."""
        if self._accuracy is None:
            accuracy = torch.zeros(len(names), dtype=torch.float64, device="cpu")
        else:
            accuracy = self._accuracy
        # The least error keeps weights equal where no threat fells anything.
        error = (1 - accuracy).clamp(min=1e-9)
        error = torch.cat([torch.zeros_like(error[:1]), error[1:]])
        return error / error.sum()

    def update(self, losses: LossMatrix) -> None:
        """Add the batch's accuracies; raise DefinitionError if they were not kept."""
        if (found := losses.accuracies()) is None:
            raise DefinitionError(
                "robust-error weighs threats by accuracies, which these losses lack.",
                hint="Pass LossMatrix(values, names, correct=...), or use another rule.",
            )
        self._steps += 1
        found = found.detach().double()
        if self._accuracy is None:
            self._accuracy = torch.zeros_like(found)
        moved = self._accuracy + (found - self._accuracy) / min(self._steps, self.window)
        self._accuracy = torch.where(found.isnan(), self._accuracy, moved)

    def state_dict(self) -> dict[str, Any]:
        """Return the running accuracies and the number of their batches."""
        return {"accuracy": self._accuracy, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._accuracy, self._steps = state["accuracy"], state["steps"]
