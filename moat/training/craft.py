"""From a batch to the images of every objective: the inner maximisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.passes import Pass
from moat.threats import GradientThreat, Threat
from moat.training.step_settings import StepSettings
from moat.transfers import send
from moat.types import Images, Labels, Mask

Positions = slice | Tensor
"""Positions in a batch: a slice where they are consecutive, so that no index is made."""


@dataclass(frozen=True, eq=False)
class Examples:
    """The images that one step measures, an objective at a time.

    `rows[i]` are the batch positions that objective i was planned for, `images[i]` its images and
    `labels[i]` their labels, in that order; all three are empty where nothing was planned. So is
    `example_weights[i]`, by which each loss is multiplied; there are none where it is None.
    """

    names: tuple[str, ...]
    planned: Mask
    rows: list[Positions]
    images: list[Tensor]
    labels: list[Tensor]
    batch: int
    example_weights: list[Tensor] | None = None

    def lengths(self) -> list[int]:
        """Return how many images each objective has."""
        return [len(labels) for labels in self.labels]

    def at(self, segments: Pass) -> tuple[Tensor, Tensor]:
        """Return the images and labels of a pass, its segments laid end to end."""
        images = [self.images[segment.which][segment.rows] for segment in segments]
        labels = [self.labels[segment.which][segment.rows] for segment in segments]
        return torch.cat(images), torch.cat(labels)

    def positions(self, which: int, part: slice) -> Positions:
        """Return where in the batch a part of an objective's images stands."""
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
    """Search the planned threats on the planned examples; the natural images are taken as is.

    Threats that share their rows go up together. Line 4 of Algorithm 1. Of the settings, `reach` is
    the share of its balls that a gradient threat searches; others have one strength.
    """
    entries = [_by_example(entry, len(x)) for entry in plan.tolist()]  # a plan lies on the host
    if not any(map(any, entries)):
        raise DefinitionError(
            "the scalarizer plans for no objective"
            + (": it has no threats." if not threats else "."),
            hint="Pass the threats that it weighs, or use Natural(), which needs none.",
        )
    rows = [_rows(entry, x.device) for entry in entries]
    planned = dict(zip(threats, zip(entries[1:], rows[1:], strict=True), strict=True))
    images = {NATURAL: x[rows[0]]}
    for labels in _with_equal_entries({label: entry for label, (entry, _) in planned.items()}):
        own = planned[labels[0]][1]
        climbing = {n: t for n in labels if isinstance(t := threats[n], GradientThreat)}
        traces = settings.search(
            model,
            list(climbing.values()),
            x[own],
            y[own],
            generator=settings.generator,
            pass_size=settings.passes_on(x.device),
            reach=settings.reach,
        )
        images |= {label: trace.images for label, trace in zip(climbing, traces, strict=True)}
        for label in (label for label in labels if label not in climbing):
            threat = threats[label]
            images[label] = threat.perturb(model, x[own], y[own], generator=settings.generator)
    names = (NATURAL, *threats)
    weight = settings.weight
    return Examples(
        names,
        plan,
        rows,
        [images.get(name, x[:0]) for name in names],
        [y[own] for own in rows],
        len(x),
        None if weight is None else [weight[own] for own in rows],
    )


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


def _with_equal_entries(planned: Mapping[str, Sequence[bool]]) -> list[list[str]]:
    """Group the threats that are planned for the same examples; nothing for none."""
    groups: dict[tuple[bool, ...], list[str]] = {}
    for label, entry in planned.items():
        if any(entry):
            groups.setdefault(tuple(entry), []).append(label)
    return list(groups.values())
