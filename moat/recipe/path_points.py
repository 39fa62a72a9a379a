"""The points of a path: its trunk, then its legs, each of which starts from the one before."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from moat.names import NATURAL
from moat.recipe.conditioned import in_objective_order, place_in_words
from moat.recipe.provenance import Document
from moat.recipe.schema import LegsTable, VariantTable
from moat.recipe.shorthand import numbers_of

QUARTER = 4
"""A leg has so many times fewer epochs or passes than the trunk, unless the recipe says it."""


@dataclass(frozen=True)
class PathPoint:
    """The values of a run's sweep and of its place on a path; the `number` of a trunk is 0."""

    sweep: dict[str, Any]
    path: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    at: Any = None  # of a conditioned network

    @property
    def values(self) -> dict[str, Any]:
        """The values by which the run is named."""
        own = {} if self.at is None else {"conditioned.at": place_in_words(self.at)}
        return {**self.sweep, **self.path, **own}


def paths_of(variant: VariantTable) -> Iterator[list[PathPoint]]:
    """Yield the points of each path of a variant, one path for a point of its sweep.

    Without a path, each point of the sweep is alone. The points of a conditioned network are such a
    path, whose legs all start from the trunk.
    """
    along = [numbers_of(values) for values in variant.path.values()]
    places = [dict(zip(variant.path, values, strict=True)) for values in zip(*along, strict=True)]
    for values in product(*map(numbers_of, variant.sweep.values())):
        sweep = dict(zip(variant.sweep, values, strict=True))
        if variant.conditioned is not None:
            names = (NATURAL, *variant.threats)
            ats = [in_objective_order(at, names) for at in numbers_of(list(variant.conditioned.at))]
            yield [PathPoint(sweep, {}, number, at) for number, at in enumerate(ats)]
            continue
        yield [PathPoint(sweep, place, number) for number, place in enumerate(places or [{}])]


def set_leg(document: Document, legs: LegsTable) -> None:
    """Write the settings of a leg over those of the trunk: length, learning rate and schedule.

    The threats have their full size and their searches all steps from the start.
    """
    training, optimizer = document.get("training"), document.get("optimizer")
    if isinstance(training, dict):
        _shorten(training, legs)
        for growing in ("warmup", "curriculum"):
            training.pop(growing, None)
    if isinstance(optimizer, dict) and legs.lr is not None:
        optimizer["lr"] = legs.lr
    document["schedule"] = legs.schedule.model_dump(mode="json")


def _shorten(training: Document, legs: LegsTable) -> None:
    epochs, passes = training.pop("epochs", None), training.pop("passes", None)
    if legs.epochs is not None or legs.passes is not None:
        said = {"epochs": legs.epochs, "passes": legs.passes}
        training |= {key: value for key, value in said.items() if value is not None}
    elif isinstance(passes, int | float):
        training["passes"] = passes / QUARTER
    elif isinstance(epochs, int):
        training["epochs"] = max(1, epochs // QUARTER)
