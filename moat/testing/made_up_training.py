"""Made-up training for the checks of scalarizers: losses and gradients that fall, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from moat.errors import MoatError
from moat.names import NATURAL
from moat.objectives import LossMatrix, by_entry
from moat.randomness import generator_of
from moat.scalarizers import GradientScalarizer, LaggedScalarizer, LossScalarizer, Scalarizer
from moat.testing.breach import breach_of
from moat.types import Mask

PARAMETERS = 9  # numbers in a gradient
CORRECT_BELOW = 0.3  # nats: an example with a smaller made-up loss is classified correctly


class WeighedStep(NamedTuple):
    """The losses and the weights of a scalarizer in one step."""

    plan: Mask
    losses: LossMatrix
    gramian: Tensor
    weights: Tensor


@dataclass(frozen=True)
class MadeUpTraining:
    """Made-up training: losses (objectives, batch) and a gradient an objective, in every step.

    Losses are multiplied by `loss_scale`, gradients by `gradient_scale`; with `equal` all
    objectives have the same. `examples` and `threats` are orders in which they come; `device` is
    where the losses are.
    """

    objectives: int = 4
    batch: int = 6
    dtype: torch.dtype = torch.float64
    loss_scale: float = 1.0
    gradient_scale: float = 1.0
    equal: bool = False
    examples: tuple[int, ...] = ()
    threats: tuple[int, ...] = ()
    device: str = "cpu"

    def names_for(self, scalarizer: Scalarizer | None = None) -> tuple[str, ...]:
        """Return the natural objective and the threats in their order, as the fields name them.

        Threats that no field names are `threat-1`, `threat-2` and so on.
        """
        own = named_threats(scalarizer) if scalarizer else ()
        others = [one for one in self._usual_names if one not in own]
        names = (NATURAL, *own, *others)
        return tuple(names[row] for row in self.rows.tolist())

    @property
    def _usual_names(self) -> list[str]:
        return [f"threat-{number}" for number in range(1, self.objectives)]

    @property
    def rows(self) -> Tensor:
        """The order of the objectives; the natural one is always the first."""
        threats = self.threats or range(1, self.objectives)
        return torch.tensor([0, *threats], device="cpu")

    def step(self, scalarizer: Scalarizer, number: int) -> WeighedStep:
        """Plan and weigh one step; unmeasured losses are NaN."""
        names = self.names_for(scalarizer)
        plan = scalarizer.plan(names, self.batch, generator_of(number))
        values, gramian = self.drawn(number, plan)
        if self.examples:
            order = torch.tensor(self.examples, device="cpu")
            values, plan = values[:, order], plan if plan.ndim == 1 else plan[:, order]
        correct = values < CORRECT_BELOW * self.loss_scale
        losses = LossMatrix(values, names, correct, plan.to(self.device))
        return WeighedStep(plan, losses, gramian, _weights(scalarizer, names, losses, gramian))

    def run(self, scalarizer: Scalarizer, steps: range) -> list[Tensor]:
        """Go through these steps and return the weights of each."""
        found = []
        for number in steps:
            seen = self.step(scalarizer, number)
            found.append(seen.weights.clone())
            scalarizer.update(seen.losses)
        return found

    def drawn(self, number: int, plan: Mask) -> tuple[Tensor, Tensor]:
        """Return the planned losses of a step, and the Gramian of its gradients."""
        generator, k = generator_of(number), self.objectives
        size = torch.arange(1, k + 1, dtype=torch.float64, device="cpu")[:, None] / (1 + number)
        losses = size * torch.rand(k, self.batch, generator=generator, dtype=torch.float64)
        gradients = torch.randn(k, PARAMETERS, generator=generator, dtype=torch.float64)
        if self.equal:
            losses, gradients = losses[:1].expand(k, -1), gradients[:1].expand(k, -1)
        values = (self.loss_scale * losses[self.rows]).to(self.dtype)
        values = values.masked_fill(~by_entry(plan, self.batch), float("nan"))
        gradients = (self.gradient_scale * gradients[self.rows]).to(self.dtype)
        return values.to(self.device), (gradients @ gradients.T).to(self.device)


def named_threats(scalarizer: Scalarizer) -> tuple[str, ...]:
    """Return the threats that the fields of a scalarizer name, in tables of numbers, in order.

    Example:
        >>> from moat.scalarizers import Weighted
        >>> named_threats(Weighted(preference={"natural": 1.0, "pgd": 6.0}))
        ('pgd',)
    """
    found: dict[str, None] = {}
    for field in fields(cast(Any, scalarizer)):
        value = getattr(scalarizer, field.name, None)
        if isinstance(value, Scalarizer):  # the rule of another rule
            found |= dict.fromkeys(named_threats(value))
        elif isinstance(value, Mapping):
            numbers = all(isinstance(one, int | float) for one in value.values())
            found |= dict.fromkeys(key for key in value if isinstance(key, str) and numbers)
    return tuple(name for name in found if name != NATURAL)


def takes_objectives(scalarizer: Scalarizer, count: int) -> bool:
    """Say whether a scalarizer weighs that many objectives: some are made for a fixed number."""
    try:
        return len(MadeUpTraining(count).step(fresh(scalarizer), 0).weights) == count
    except MoatError:
        return False


def fresh(scalarizer: Scalarizer) -> Scalarizer:
    """Return a new scalarizer with the same fields, which has seen nothing."""
    return cast(Scalarizer, replace(cast(Any, scalarizer)))


def _weights(
    scalarizer: Scalarizer, names: tuple[str, ...], losses: LossMatrix, gramian: Tensor
) -> Tensor:
    match scalarizer:
        case LaggedScalarizer():
            return scalarizer.weights(names)
        case LossScalarizer():
            return scalarizer.weights(losses)
        case GradientScalarizer():
            return scalarizer.weights(gramian, losses)
    raise AssertionError(breach_of(scalarizer, "it is neither lagged, loss nor gradient"))
