"""A front against another results folder's: the indicators of its shortfall."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.errors import FrontError
from moat.fronts import additive_epsilon, hypervolume, igd_plus, is_exact, non_dominated
from moat.report.front.objectives import Objective, corner, minimised, values_of
from moat.report.groups import Group, comparable, differences
from moat.report.settings import settings_of
from moat.report.words import some
from moat.runs import as_typed


@dataclass(frozen=True, eq=False)
class Rival:
    """Another front of the same objectives, data and protocol, and how far this one is from it.

    `folder` is where it lies, as a person names it: it may be a bundle.
    `points` are its members, their objectives as they are shown, of shape (members, objectives).
    `exact` says whether the hypervolume is, and not an approximation.
    `igd_plus` and `additive_epsilon` are 0 or less where this front covers the other.
    """

    folder: Path
    members: int
    hypervolume: float
    exact: bool
    igd_plus: float
    additive_epsilon: float
    points: NDArray[np.float64]


def rival_of(
    group: Group,
    objectives: Sequence[Objective],
    members: NDArray[np.float64],
    groups: Sequence[Group],
    folder: Path,
) -> Rival:
    """Measure a front's members against those of the comparable group; FrontError without one."""
    for other in groups:
        if comparable(other, group):
            break
    else:
        raise FrontError(
            f"no run there is comparable with {group.title}.",
            where=str(folder),
            hint="; ".join(differences(group, groups[0])),
        )
    settings = settings_of(other)
    for objective in objectives:
        if missing := [one.name for one in settings if one.mean(objective.value) is None]:
            raise FrontError(
                f"{some(missing)} has no {objective.name}, an objective of this front.",
                where=str(folder),
                hint=(
                    "A score against natural runs also needs a natural run there; or name "
                    "objectives without one, such as natural and total."
                ),
            )
    points = minimised(settings, objectives)
    on = non_dominated(points)
    theirs = points[on]
    return Rival(
        folder=Path(as_typed(str(folder))),
        members=len(theirs),
        hypervolume=hypervolume(theirs, corner(objectives)),
        exact=is_exact(theirs, corner(objectives)),
        igd_plus=igd_plus(members, theirs),
        additive_epsilon=additive_epsilon(members, theirs),
        points=values_of(settings, objectives)[on],
    )
