"""One front a group: which runs no other run dominates, and how good they are together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.fronts import dominated_by, hypervolume, non_dominated
from moat.fronts.dominance import as_points
from moat.report.groups import Group, group_points, refuse_unequal
from moat.report.objectives import Objective, named_objectives, usual_objectives
from moat.report.points import read_points
from moat.report.rows import Row, rows_of


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
    results: Path, *, merge: bool = False, objectives: Sequence[str] = ()
) -> FrontReport:
    """Read every finished run below a folder and make one front a group of comparable runs.

    `objectives` are names of scores, threats and ensembles. `merge` insists on a single front:
    FrontError names the runs and the keys that differ.
    """
    points, skipped = read_points(results)
    groups = group_points(points)
    if merge:
        refuse_unequal(groups, results)
    return FrontReport(results, [front_of(group, objectives) for group in groups], skipped)


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
    corner = [-o.reference if o.maximised else o.reference for o in chosen]
    return Front(
        group=group,
        rows=tuple(rows),
        objectives=chosen,
        members=non_dominated(points),
        dominated_by=tuple(dominated_by(points)),
        hypervolume=hypervolume(points, corner),
    )


def _minimised(rows: Sequence[Row], chosen: Sequence[Objective]) -> NDArray[np.float64]:
    """Return the finite points that moat.fronts takes, what is maximised negated."""
    signs = [-1.0 if objective.maximised else 1.0 for objective in chosen]
    shown = np.array([[o.value(row) for o in chosen] for row in rows], dtype=float)
    return as_points(shown * signs, [row.name for row in rows])
