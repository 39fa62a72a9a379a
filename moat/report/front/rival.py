"""A front against another results folder's: the indicators of its shortfall."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.errors import FrontError
from moat.fronts import additive_epsilon, hypervolume, igd_plus, is_exact, non_dominated
from moat.report.common_examples import (
    common_ids,
    differ_in_examples_alone,
    same_examples_hint,
)
from moat.report.front.objectives import Objective, corner, minimised, values_of
from moat.report.groups import Group, comparable, differences
from moat.report.points import on_examples
from moat.report.settings import settings_of
from moat.report.words import some
from moat.runs import as_typed


@dataclass(frozen=True, eq=False)
class Rival:
    """Another front of the same objectives, data and protocol, and how far this one is from it.

    `folder` is where it lies, as a person names it: it may be a bundle.
    `points` are its members, their objectives as they are shown, of shape (members, objectives).
    `exact` says whether the hypervolume is, and not an approximation. `examples` is the number of
    test examples that both fronts are of, `evaluated` how many each was evaluated on.
    `igd_plus` and `additive_epsilon` are 0 or less where this front covers the other.
    """

    folder: Path
    members: int
    hypervolume: float
    exact: bool
    igd_plus: float
    additive_epsilon: float
    points: NDArray[np.float64]
    examples: int
    evaluated: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Rivalry:
    """Two groups of runs on the test examples that all of them were judged on."""

    group: Group
    other: Group
    folder: Path  # of the other
    evaluated: tuple[int, int]


def rivalry_of(group: Group, groups: Sequence[Group], folder: Path) -> Rivalry:
    """Return a group beside the one below another folder that it can be compared with.

    Protocols may choose different examples. FrontError where none is comparable, or too few
    examples are common.
    """
    alike = [one for one in groups if comparable(one, group)]
    alike += [one for one in groups if differ_in_examples_alone(one, group)]
    if not alike:
        raise FrontError(
            f"no run there is comparable with {group.title}.",
            where=str(folder),
            hint="; ".join(differences(group, groups[0])),
        )
    other, (ours, theirs) = alike[0], (group.points[0], alike[0].points[0])
    mend = partial(same_examples_hint, theirs, ours)
    ids = common_ids([*group.points, *other.points], [ours.place, theirs.place], mend)
    evaluated = (ours.examples, theirs.examples)
    return Rivalry(_on(group, ids), _on(other, ids), folder, evaluated)


def _on(group: Group, ids: NDArray[np.int64]) -> Group:
    """Return a group on these examples: itself where they are all."""
    if all(np.array_equal(np.sort(point.outcomes.ids), ids) for point in group.points):
        return group
    return Group(tuple(on_examples(point, ids) for point in group.points))


def rival_of(
    rivalry: Rivalry, objectives: Sequence[Objective], members: NDArray[np.float64]
) -> Rival:
    """Measure a front's members against those of the other group; FrontError for a lacking score.

    `members` are the objectives of the front, as `moat.fronts` takes them.
    """
    settings = settings_of(rivalry.other)
    for objective in objectives:
        if missing := [one.name for one in settings if one.mean(objective.value) is None]:
            raise FrontError(
                f"{some(missing)} has no {objective.name}, an objective of this front.",
                where=str(rivalry.folder),
                hint=(
                    "A score against natural runs also needs a natural run there; or name "
                    "objectives without one, such as natural and total."
                ),
            )
    points = minimised(settings, objectives)
    on = non_dominated(points)
    theirs = points[on]
    return Rival(
        folder=Path(as_typed(str(rivalry.folder))),
        members=len(theirs),
        hypervolume=hypervolume(theirs, corner(objectives)),
        exact=is_exact(theirs, corner(objectives)),
        igd_plus=igd_plus(members, theirs),
        additive_epsilon=additive_epsilon(members, theirs),
        points=values_of(settings, objectives)[on],
        examples=rivalry.other.points[0].examples,
        evaluated=rivalry.evaluated,
    )
