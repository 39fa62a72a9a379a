"""One front a group: which runs no other run dominates, and how good they are together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.errors import FrontError
from moat.fronts import additive_epsilon, dominated_by, hypervolume, igd_plus, non_dominated
from moat.fronts.dominance import as_points
from moat.report.groups import Group, comparable, differences, group_points, refuse_unequal
from moat.report.objectives import Objective, named_objectives, usual_objectives
from moat.report.points import read_points
from moat.report.rows import Row, rows_of


@dataclass(frozen=True)
class Rival:
    """Another front of the same objectives, data and protocol, and how far this one is from it.

    `igd_plus` and `additive_epsilon` are 0 or less where this front covers the other.
    """

    folder: Path
    members: int
    hypervolume: float
    igd_plus: float
    additive_epsilon: float


@dataclass(frozen=True, eq=False)
class Front:
    """The runs of one group, members of the front first, each part by its first objective.

    `dominated_by` gives for each row the place of a member that dominates it, None for members.
    The reference point of the hypervolume is fixed: 0 for what is maximised, 100 for sacrificed
    accuracy; so hypervolumes of the same data and protocol can be compared across reports.
    """

    group: Group
    rows: tuple[Row, ...]
    objectives: tuple[Objective, ...]
    members: NDArray[np.bool_]
    dominated_by: tuple[int | None, ...]
    hypervolume: float
    rival: Rival | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """The objectives as they are shown, of shape (rows, objectives)."""
        return np.array([[o.value(row) for o in self.objectives] for row in self.rows], dtype=float)

    @property
    def minimised(self) -> NDArray[np.float64]:
        """The objectives as `moat.fronts` takes them, what is maximised negated."""
        return _minimised(self.rows, self.objectives)


@dataclass(frozen=True)
class FrontReport:
    """One front a group, and the messages of the runs that could not be read."""

    results: Path
    fronts: list[Front]
    skipped: list[str]


def make_fronts(
    results: Path,
    *,
    merge: bool = False,
    objectives: Sequence[str] = (),
    against: Path | None = None,
) -> FrontReport:
    """Read every finished run below a folder and make one front a group of comparable runs.

    `objectives` are names of scores, threats and ensembles. `merge` insists on a single front:
    FrontError names the runs and the keys that differ. `against` is another results folder, whose
    fronts these are measured against; one without its counterpart there is refused.
    """
    points, skipped = read_points(results)
    groups = group_points(points)
    if merge:
        refuse_unequal(groups, results)
    fronts = [front_of(group, objectives) for group in groups]
    if against is not None:
        others, missed = read_points(against)
        rivals = group_points(others)
        fronts = [replace(one, rival=_rival(one, rivals, against)) for one in fronts]
        skipped = [*skipped, *missed]
    return FrontReport(results, fronts, skipped)


def front_of(group: Group, objectives: Sequence[str] = ()) -> Front:
    """Return a group's front by the named objectives, or by the usual two."""
    rows = rows_of(group)
    chosen = (
        named_objectives(objectives, rows, group) if objectives else usual_objectives(rows, group)
    )
    points = _minimised(rows, chosen)
    ranks = sorted(zip(~non_dominated(points), points[:, 0], range(len(rows)), strict=True))
    rows = [rows[place] for _, _, place in ranks]
    points = _minimised(rows, chosen)
    return Front(
        group=group,
        rows=tuple(rows),
        objectives=chosen,
        members=non_dominated(points),
        dominated_by=tuple(dominated_by(points)),
        hypervolume=hypervolume(points, _corner(chosen)),
    )


def _rival(front: Front, groups: Sequence[Group], folder: Path) -> Rival:
    """Measure a front against that of the comparable group; FrontError where there is none."""
    for group in groups:
        if comparable(group, front.group):
            break
    else:
        raise FrontError(
            f"no run there can be compared with {front.group.title}.",
            where=str(folder),
            hint="; ".join(differences(front.group, groups[0])),
        )
    rows = rows_of(group)
    points = _minimised(rows, front.objectives)
    theirs, ours = points[non_dominated(points)], front.minimised[front.members]
    return Rival(
        folder=folder,
        members=len(theirs),
        hypervolume=hypervolume(theirs, _corner(front.objectives)),
        igd_plus=igd_plus(ours, theirs),
        additive_epsilon=additive_epsilon(ours, theirs),
    )


def _corner(chosen: Sequence[Objective]) -> list[float]:
    return [-o.reference if o.maximised else o.reference for o in chosen]


def _minimised(rows: Sequence[Row], chosen: Sequence[Objective]) -> NDArray[np.float64]:
    """Return the finite points that moat.fronts takes, what is maximised negated."""
    signs = [-1.0 if objective.maximised else 1.0 for objective in chosen]
    shown = np.array([[o.value(row) for o in chosen] for row in rows], dtype=float)
    return as_points(shown * signs, [row.name for row in rows])
