"""The parts of a batch with a preference each, for a network that is conditioned on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import nn

from moat.errors import ModelError
from moat.models import FiLM
from moat.objectives import by_entry, side_by_side
from moat.scalarizers import RandomPreference, Scalarizer
from moat.training.descent import Descent
from moat.training.step_settings import StepSettings
from moat.types import Images, Labels, Weights

PartDescent = Callable[[Images, Labels, StepSettings], Descent]
"""From a part of a batch to its losses, its gradient added."""


def inform(model: nn.Module, scalarizer: Scalarizer, names: Sequence[str]) -> None:
    """Let a conditioned network compute at the preference that was drawn for the coming step.

    `names` are the objectives of the step. Raises ModelError if the network has others.
    """
    if isinstance(scalarizer, RandomPreference):
        for module in model.modules():
            if isinstance(module, FiLM):
                module.prefer(_in_order_of(module, scalarizer.preference, names))


def _in_order_of(network: FiLM, preference: Weights, names: Sequence[str]) -> Weights:
    """Return the weights of a step's objectives in the order of a network's."""
    own = network.objectives
    if own == tuple(names):
        return preference
    if sorted(own) != sorted(names):
        raise ModelError(
            f"the network is conditioned on {', '.join(own)}, and the step has the objectives "
            f"{', '.join(names)}.",
            hint=f"Make it with FiLM(network, {list(names)}).",
        )
    return preference[[names.index(name) for name in own]]


def by_parts(
    scalarizer: Scalarizer, x: Images, y: Labels, settings: StepSettings, descend: PartDescent
) -> Descent:
    """Descend on each part of a batch; the gradients add up to that of the batch's mean loss."""
    parts = scalarizer.parts if isinstance(scalarizer, RandomPreference) else 1
    if parts == 1 or len(x) < 2:
        return descend(x, y, settings)
    return _joined([descend(*part) for part in _divided(x, y, settings, parts)], len(x))


def _divided(
    x: Images, y: Labels, settings: StepSettings, parts: int
) -> Iterator[tuple[Images, Labels, StepSettings]]:
    """Yield parts of equal size, up to one example, with their shares of the gradient.

    A part has at least two examples, so that batch norm has a variance.
    """
    count, start = min(parts, len(x) // 2), 0
    for number in range(count):
        rows = slice(start, start := len(x) * (number + 1) // count)
        share = (rows.stop - rows.start) / len(x)
        weight = None if settings.weight is None else settings.weight[rows]
        yield x[rows], y[rows], replace(settings, weight=weight, scale=settings.scale * share)


def _joined(descents: Sequence[Descent], batch: int) -> Descent:
    """Return the descent of a batch from those of its parts."""
    losses = side_by_side([one.losses for one in descents])
    own = [by_entry(one.weights, one.losses.values.shape[1]) for one in descents]
    return Descent(losses, torch.cat(own, dim=1), sum(one.searched for one in descents))
