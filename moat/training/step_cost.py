"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import reduce

import torch

from moat.names import NATURAL
from moat.objectives import LossMatrix
from moat.scalarizers import GradientScalarizer, LossScalarizer, Scalarizer
from moat.threats import Spent, Threat, spent_by
from moat.training.forward_count import Partners, partners_among
from moat.training.objective_losses import LossTable

_NO_LOSSES: LossTable = {}  # cross-entropy for every objective
_OWN: Mapping[str, float] = {}


def step_cost(
    threats: Mapping[str, Threat],
    scalarizer: Scalarizer,
    *,
    losses: LossTable = _NO_LOSSES,
    batch_norm: bool = False,
    classes: int = 10,
    steps: Mapping[str, float] = _OWN,
) -> tuple[Spent, Spent]:
    """Return (search, descent), the cost of a training step for each example.

    `steps` are numbers of iterations in place of a threat's own, such as means over a training.
    For a scalarizer that draws its plan, it is the expectation by `Scalarizer.expected_plan`, or an
    upper bound if a loss has a drawn threat as its partner.
    """
    names = (NATURAL, *threats)
    rule = deepcopy(scalarizer)  # a draw here is not missing in training
    partners = partners_among(losses, names, rule.expected_plan(names).tolist())
    found = [
        _times(spent_by(one, steps=steps.get(name), classes=classes), partners.searched(number))
        for number, (name, one) in enumerate(threats.items(), 1)
    ]
    forwards, backwards = _descent(rule, names, partners, batch_norm)
    descent = Spent(_whole(forwards), _whole(backwards))
    return reduce(Spent.plus, found, Spent()), descent


def conflict_cost(
    threats: Mapping[str, Threat], scalarizer: Scalarizer, losses: LossTable = _NO_LOSSES
) -> Spent:
    """Return the cost of one measurement of the objectives' conflict for each example.

    The natural images count whole, planned or not, unless their loss has a partner.
    """
    names = (NATURAL, *threats)
    shares = deepcopy(scalarizer).expected_plan(names).tolist()
    partners = partners_among(losses, names, shares)
    if partners.numbers[0] is None:
        partners = replace(partners, shares=(1.0, *partners.shares[1:]))
    count = _whole(partners.images_apart(partners.planned))
    return Spent(count, count)


def _descent(
    scalarizer: Scalarizer, names: tuple[str, ...], partners: Partners, batch_norm: bool
) -> Spent:
    """Return what one of the three ways to descend costs an example."""
    count = partners.images(partners.planned)
    if isinstance(scalarizer, LossScalarizer):
        chosen = _chosen(scalarizer, names, partners)
        return Spent(count + chosen, chosen)
    if isinstance(scalarizer, GradientScalarizer):
        if batch_norm:  # each gradient goes back through all that shares a forward with it
            return partners.under_batch_norm(partners.planned)
        count = partners.images_apart(partners.planned)
    return Spent(count, count)


def _chosen(scalarizer: LossScalarizer, names: tuple[str, ...], partners: Partners) -> float:
    """Return how many images of an example go forward and backward once the losses are known."""
    planned, support = partners.planned, scalarizer.support
    values = torch.full((len(names), 1), torch.nan)
    values[planned] = torch.arange(1.0, len(planned) + 1)[:, None]
    measured = values[:, 0].isfinite()
    weights = scalarizer.weights(LossMatrix(values, names, measured=measured))
    chosen = weights.reshape(len(names), -1)[:, 0].nonzero()[:, 0].tolist()
    if support is not None and support >= len(planned):
        return partners.images(planned)
    by_rank = 0 not in planned or (support == 1 and weights.ndim == 1)
    if support is not None and by_rank and all(partners.shares[one] == 1 for one in planned):
        return support + len(partners.of(planned))  # whichever objective is chosen
    return partners.images(chosen) if weights.ndim == 1 else partners.images_apart(chosen)


def _times(spent: Spent, share: float) -> Spent:
    return Spent(_whole(share * spent.forwards), _whole(share * spent.backwards))


def _whole(number: float) -> float:
    """Return a number, as an integer where it is one."""
    return int(number) if number == int(number) else number
