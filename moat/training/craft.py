"""From a batch to the images of every objective: the inner maximisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.passes import Pass
from moat.threats import GradientThreat, Threat
from moat.training.objective_losses import objective_losses, partner_of
from moat.training.step_settings import StepSettings
from moat.training.terms import NATURAL_NUMBER, ImageSource, LossKind, Term
from moat.transfers import send
from moat.types import Images, Labels, Mask

Positions = slice | Tensor
"""Positions in a batch: a slice where they are consecutive, so that no index is made."""


@dataclass(frozen=True, eq=False)
class Examples:
    """The images that one step measures, for each objective.

    `rows[i]` are the batch positions for which objective i was planned, `terms[i]` its images with
    the inputs of their losses, and `labels[i]` their labels, in the same order; all three are empty
    if nothing was planned. So is `example_weights[i]`, which multiplies the losses; None stands for
    no weights. `searched` counts the searches of one example by one threat, those for partners
    included.
    """

    names: tuple[str, ...]
    planned: Mask
    rows: list[Positions]
    terms: list[Term]
    labels: list[Tensor]
    batch: int
    example_weights: list[Tensor] | None = None
    searched: int = 0

    @property
    def images(self) -> list[Tensor]:
        """The images of each objective."""
        return [term.own.images for term in self.terms]

    def lengths(self) -> list[int]:
        """Return how many images each objective has."""
        return [len(labels) for labels in self.labels]

    def labels_of(self, segments: Pass) -> Tensor:
        """Return the labels of a pass, its segments concatenated."""
        return torch.cat([self.labels[segment.which][segment.rows] for segment in segments])

    def positions(self, which: int, part: slice) -> Positions:
        """Return the batch positions of a part of an objective's images."""
        rows = self.rows[which]
        return slice(part.start, part.stop) if isinstance(rows, slice) else rows[part]


def craft(
    model: nn.Module,
    threats: Mapping[str, Threat],
    x: Images,
    y: Labels,
    plan: Mask,
    settings: StepSettings,
) -> Examples:
    """Search the planned threats on the planned examples; natural images are used as they are.

    This is line 4 of Algorithm 1. Threats with the same rows climb together. `reach` in the
    settings is the share of its balls that a gradient threat searches; other threats have one
    strength. A threat that is a partner of a planned objective's loss is searched on that
    objective's examples as well.
    """
    entries = [_by_example(entry, len(x)) for entry in plan.tolist()]  # a plan lies on the host
    if not any(map(any, entries)):
        raise DefinitionError(
            "the scalarizer plans for no objective"
            + (": it has no threats." if not threats else "."),
            hint="Pass the threats that it weighs, or use Natural(), which needs none.",
        )
    names = (NATURAL, *threats)
    losses = objective_losses(settings.loss, names)
    partners = [None if (n := partner_of(loss)) is None else names.index(n) for loss in losses]
    needed = _with_partners(entries, partners)
    found = {NATURAL_NUMBER: x}
    for numbers in _with_equal_entries(needed[1:]):
        own = _rows(needed[numbers[0]], x.device)
        chosen = {number: threats[names[number]] for number in numbers}
        found |= _searched(model, chosen, x[own], y[own], settings)
    rows = [_rows(entry, x.device) for entry in entries]

    def source(number: int, wanted: Sequence[bool]) -> ImageSource:
        """Return an objective's images at the given batch positions."""
        if number == NATURAL_NUMBER:
            return ImageSource(number, x[_rows(wanted, x.device)], all(wanted))
        inside = [one for one, there in zip(wanted, needed[number], strict=True) if there]
        images = found[number][_rows(inside, x.device)] if any(wanted) else x[:0]
        return ImageSource(number, images, all(wanted))

    weight = settings.weight
    return Examples(
        names,
        plan,
        rows,
        [
            Term(
                source(number, wanted),
                (LossKind(loss, None if partner is None else source(partner, wanted)),),
            )
            for number, (wanted, loss, partner) in enumerate(
                zip(entries, losses, partners, strict=True)
            )
        ],
        [y[own] for own in rows],
        len(x),
        None if weight is None else [weight[own] for own in rows],
        sum(map(sum, needed[1:])),
    )


def _searched(
    model: nn.Module,
    threats: Mapping[int, Threat],
    x: Images,
    y: Labels,
    settings: StepSettings,
) -> dict[int, Images]:
    """Return the images of threats by number, all of them searched on the same examples."""
    climbing = {n: t for n, t in threats.items() if isinstance(t, GradientThreat)}
    traces = settings.search(
        model,
        list(climbing.values()),
        x,
        y,
        generator=settings.generator,
        pass_size=settings.passes_on(x.device),
        reach=settings.reach,
    )
    images = {number: trace.images for number, trace in zip(climbing, traces, strict=True)}
    for number, threat in threats.items():
        if number not in climbing:
            images[number] = threat.perturb(model, x, y, generator=settings.generator)
    return images


def _with_partners(
    entries: Sequence[Sequence[bool]], partners: Sequence[int | None]
) -> list[list[bool]]:
    """Return which examples the images of each objective are needed of, a partner's included."""
    needed = [list(entry) for entry in entries]
    for entry, partner in zip(entries, partners, strict=True):
        if partner is not None:
            needed[partner] = [a or b for a, b in zip(needed[partner], entry, strict=True)]
    return needed


def _by_example(entry: bool | list[bool], batch: int) -> list[bool]:
    """Spread an objective's plan over the batch."""
    return [entry] * batch if isinstance(entry, bool) else entry


def _rows(entry: Sequence[bool], device: torch.device) -> Positions:
    """Return the planned positions, a slice where they are all or none."""
    if all(entry):
        return slice(0, len(entry))
    if not any(entry):
        return slice(0, 0)
    return send(torch.tensor([row for row, chosen in enumerate(entry) if chosen]), device)


def _with_equal_entries(needed: Sequence[Sequence[bool]]) -> list[list[int]]:
    """Group the threats that are needed for the same examples, by number; nothing for none."""
    groups: dict[tuple[bool, ...], list[int]] = {}
    for number, entry in enumerate(needed, 1):
        if any(entry):
            groups.setdefault(tuple(entry), []).append(number)
    return list(groups.values())
