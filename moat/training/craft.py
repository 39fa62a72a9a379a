"""From a batch to the images of every objective: the inner maximisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from moat.objectives import by_entry
from moat.passes import Pass
from moat.threats import GradientThreat, Threat, search
from moat.types import NATURAL, Images, Labels, Mask


@dataclass(frozen=True, eq=False)
class Examples:
    """The images that one step measures, an objective at a time.

    `rows[i]` are the batch positions that objective i was planned for, `images[i]` its images and
    `labels[i]` their labels, in that order; all three are empty where nothing was planned.
    """

    names: tuple[str, ...]
    planned: Mask
    rows: list[Tensor]
    images: list[Tensor]
    labels: list[Tensor]
    batch: int

    def lengths(self) -> list[int]:
        """Return how many images each objective has."""
        return [len(rows) for rows in self.rows]

    def at(self, segments: Pass) -> tuple[Tensor, Tensor]:
        """Return the images and labels of a pass, its segments laid end to end."""
        images = [self.images[segment.which][segment.rows] for segment in segments]
        labels = [self.labels[segment.which][segment.rows] for segment in segments]
        return torch.cat(images), torch.cat(labels)

    def keep(self, chosen: Sequence[Tensor]) -> "Examples":
        """Return the chosen ones alone: a bool mask an objective, as long as its rows."""

        def pick(parts: Sequence[Tensor]) -> list[Tensor]:
            return [part[mask] for part, mask in zip(parts, chosen, strict=True)]

        return replace(
            self, rows=pick(self.rows), images=pick(self.images), labels=pick(self.labels)
        )


def craft(
    model: nn.Module,
    threats: Mapping[str, Threat],
    x: Images,
    y: Labels,
    plan: Mask,
    pass_size: int,
    generator: torch.Generator | None = None,
    reach: float = 1.0,
) -> Examples:
    """Search the planned threats on the planned examples; the natural images are taken as is.

    Threats that share their rows go up together. Line 4 of Algorithm 1. `reach` is the share of
    its balls that a gradient threat searches; others have one strength.
    """
    rows = [entry.nonzero().squeeze(1) for entry in by_entry(plan, len(x)).to(x.device)]
    planned = dict(zip(threats, rows[1:], strict=True))
    images = {NATURAL: x[rows[0]]}
    for labels in _with_equal_rows(planned):
        own = planned[labels[0]]
        climbing = {n: t for n in labels if isinstance(t := threats[n], GradientThreat)}
        climbers = list(climbing.values())
        traces = search(
            model,
            climbers,
            x[own],
            y[own],
            generator=generator,
            pass_size=pass_size,
            reach=reach,
        )
        images |= {label: trace.images for label, trace in zip(climbing, traces, strict=True)}
        for label in (label for label in labels if label not in climbing):
            images[label] = threats[label].perturb(model, x[own], y[own], generator=generator)
    names = (NATURAL, *threats)
    return Examples(
        names,
        plan,
        rows,
        [images.get(name, x[:0]) for name in names],
        [y[own] for own in rows],
        len(x),
    )


def _with_equal_rows(planned: Mapping[str, Tensor]) -> list[list[str]]:
    """Group the threats that are planned for the same examples; nothing for none."""
    groups: list[list[str]] = []
    for label, rows in planned.items():
        group = next((g for g in groups if torch.equal(planned[g[0]], rows)), None)
        if group is not None:
            group.append(label)
        elif len(rows):
            groups.append([label])
    return groups
