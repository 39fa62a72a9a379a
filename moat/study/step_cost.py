"""The cost of a training step for each example, in forwards and backwards, from its plan."""

from copy import deepcopy
from functools import reduce

import torch

from moat.names import NATURAL
from moat.objectives import LossMatrix
from moat.recipe import RunPlan
from moat.scalarizers import GradientScalarizer, LossScalarizer, Scalarizer
from moat.threats import Spent, spent_by


def passes_per_example(plan: RunPlan) -> tuple[int, int]:
    """Return (search, descent): forwards and backwards that a training step costs an example.

    Forwards without a backward are not counted.
    """
    search, descent = spent_per_example(plan)
    return search.backwards, descent.backwards


def spent_per_example(
    plan: RunPlan, batch_norm: bool = False, classes: int = 10
) -> tuple[Spent, Spent]:
    """Return (search, descent): what a training step costs an example.

    Of a scalarizer that plans an example at a time, the most it can plan.
    """
    names = (NATURAL, *plan.threats)
    scalarizer = deepcopy(plan.scalarizer)  # what it draws here is not missing in training
    mask = scalarizer.plan(names, 2, torch.Generator().manual_seed(0))
    planned = [bool(entry.any()) for entry in mask]
    searched = zip(plan.threats.values(), planned[1:], strict=True)
    found = [spent_by(threat, classes=classes) for threat, taken in searched if taken]
    search = reduce(Spent.plus, found, Spent())
    return search, _descent(scalarizer, names, planned, batch_norm)


def _descent(
    scalarizer: Scalarizer, names: tuple[str, ...], planned: list[bool], batch_norm: bool
) -> Spent:
    """Return what one of the three ways to descend costs an example."""
    count, threats = sum(planned), sum(planned[1:])
    if isinstance(scalarizer, LossScalarizer):
        measured = torch.tensor(planned)
        values = torch.where(measured, torch.arange(1.0, len(names) + 1), torch.nan)[:, None]
        weights = scalarizer.weights(LossMatrix(values, names, measured=measured))
        chosen = int((weights.reshape(len(names), -1) != 0).sum(0).amax())
        return Spent(count + chosen, chosen)
    if isinstance(scalarizer, GradientScalarizer) and batch_norm:
        return Spent(count, int(planned[0]) + threats**2)  # each goes back through all of them
    return Spent(count, count)
