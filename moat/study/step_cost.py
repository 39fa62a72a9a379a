"""What a training step costs an example, in forwards and backwards, counted from its plan."""

from copy import deepcopy
from functools import reduce

import torch

from moat.names import NATURAL
from moat.objectives import LossMatrix
from moat.recipe import RunPlan
from moat.scalarizers import GradientScalarizer, LossScalarizer, Scalarizer
from moat.study.forward_count import Partners, partners_among
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
    planned = [number for number, entry in enumerate(mask) if entry.any()]
    partners = partners_among(plan.losses, names, [bool(entry.all()) for entry in mask])
    threats = [plan.threats[names[number]] for number in sorted(partners.needed(planned) - {0})]
    found = [spent_by(threat, classes=classes) for threat in threats]
    search = reduce(Spent.plus, found, Spent())
    return search, _descent(scalarizer, names, planned, partners, batch_norm)


def _descent(
    scalarizer: Scalarizer,
    names: tuple[str, ...],
    planned: list[int],
    partners: Partners,
    batch_norm: bool,
) -> Spent:
    """Return what one of the three ways to descend costs an example."""
    count = partners.images(planned)
    if isinstance(scalarizer, LossScalarizer):
        chosen = _chosen(scalarizer, names, planned, partners)
        return Spent(count + chosen, chosen)
    if isinstance(scalarizer, GradientScalarizer):
        if batch_norm:  # each gradient goes back through all that shares a forward with it
            return partners.under_batch_norm(planned)
        count = partners.images_apart(planned)
    return Spent(count, count)


def _chosen(
    scalarizer: LossScalarizer, names: tuple[str, ...], planned: list[int], partners: Partners
) -> int:
    """Return how many images of an example go forward and backward once the losses are known."""
    values = torch.full((len(names), 1), torch.nan)
    values[planned] = torch.arange(1.0, len(planned) + 1)[:, None]
    measured = values[:, 0].isfinite()
    weights = scalarizer.weights(LossMatrix(values, names, measured=measured))
    chosen = weights.reshape(len(names), -1)[:, 0].nonzero()[:, 0].tolist()
    support, per_batch = scalarizer.support, weights.ndim == 1
    if support is not None and support >= len(planned):
        return partners.images(planned)
    by_rank = 0 not in planned or (support == 1 and per_batch)
    if support is not None and by_rank and all(partners.whole[number] for number in planned):
        return support + len(partners.of(planned))  # whichever objective is chosen
    return partners.images(chosen) if per_batch else partners.images_apart(chosen)
