"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from collections.abc import Mapping
from copy import deepcopy
from functools import reduce

import torch
from torch import Tensor

from moat.names import NATURAL
from moat.objectives import LossMatrix
from moat.scalarizers import GradientScalarizer, LossScalarizer, Scalarizer
from moat.threats import Spent, Threat, spent_by


def step_cost(
    threats: Mapping[str, Threat],
    scalarizer: Scalarizer,
    *,
    batch_norm: bool = False,
    classes: int = 10,
) -> tuple[Spent, Spent]:
    """Return (search, descent): what a training step costs an example.

    Of a scalarizer that draws its plan, the expectation by `Scalarizer.expected_plan`.
    """
    names = (NATURAL, *threats)
    rule = deepcopy(scalarizer)  # a draw here is not missing in training
    shares = rule.expected_plan(names).tolist()
    found = [
        _times(spent_by(threat, classes=classes), share)
        for threat, share in zip(threats.values(), shares[1:], strict=True)
    ]
    return reduce(Spent.plus, found, Spent()), _descent(rule, names, shares, batch_norm)


def _descent(
    scalarizer: Scalarizer, names: tuple[str, ...], shares: list[float], batch_norm: bool
) -> Spent:
    """Return what one of the three ways to descend costs an example."""
    count = _whole(sum(shares))
    if isinstance(scalarizer, LossScalarizer):
        chosen = int((_made_up_weights(scalarizer, names, shares) != 0).sum(0).amax())
        return Spent(count + chosen, chosen)
    if isinstance(scalarizer, GradientScalarizer) and batch_norm:
        objectives = sum(share > 0 for share in shares[1:])
        return Spent(count, _whole(shares[0] + objectives * sum(shares[1:])))
    return Spent(count, count)


def _made_up_weights(
    scalarizer: LossScalarizer, names: tuple[str, ...], shares: list[float]
) -> Tensor:
    """Return the weights (objectives, 1) of losses that differ."""
    measured = torch.tensor([share > 0 for share in shares])
    values = torch.where(measured, torch.arange(1.0, len(names) + 1), torch.nan)[:, None]
    weights = scalarizer.weights(LossMatrix(values, names, measured=measured))
    return weights.reshape(len(names), -1)


def _times(spent: Spent, share: float) -> Spent:
    return Spent(_whole(share * spent.forwards), _whole(share * spent.backwards))


def _whole(number: float) -> float:
    """Return a number, as an integer where it is one."""
    return int(number) if number == int(number) else number
