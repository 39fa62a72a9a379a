"""One front a group: which runs no other run dominates, and how good they are together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.fronts import dominated_by, hypervolume, non_dominated
from moat.fronts.dominance import as_points
from moat.report.groups import Group, group_points, refuse_unequal
from moat.report.points import read_points
from moat.report.rows import Row, rows_of


@dataclass(frozen=True)
class Objective:
    """One axis of a front, in percentage points, with its fixed place in the reference point."""

    name: str
    value: Callable[[Row], float]
    maximised: bool
    reference: float


UNIVERSAL = Objective("universal score", attrgetter("universal"), True, 0.0)
SACRIFICED = Objective("sacrificed natural accuracy", attrgetter("sacrificed"), False, 100.0)
TOTAL = Objective("total score", attrgetter("point.total"), True, 0.0)
UNION = Objective("union", attrgetter("point.union"), True, 0.0)
NATURAL_ACCURACY = Objective("natural accuracy", attrgetter("point.natural"), True, 0.0)


@dataclass(frozen=True, eq=False)
class Front:
    """The runs of one group, members of the front first, each part by its first objective.

    `dominated_by` gives for each row the place of a member that dominates it, None for members.
    The reference point of the hypervolume is fixed: 0 for what is maximised, 100 for sacrificed
    accuracy; so hypervolumes of the same data and protocol can be compared across reports.
    """

    group: Group
    rows: tuple[Row, ...]
    objectives: tuple[Objective, Objective]
    members: NDArray[np.bool_]
    dominated_by: tuple[int | None, ...]
    hypervolume: float

    @property
    def values(self) -> NDArray[np.float64]:
        """The objectives as they are shown, of shape (rows, 2)."""
        return np.array([[o.value(row) for o in self.objectives] for row in self.rows])


@dataclass(frozen=True)
class FrontReport:
    """One front a group, and the messages of the runs that could not be read."""

    results: Path
    fronts: list[Front]
    skipped: list[str]


def make_fronts(results: Path, *, merge: bool = False) -> FrontReport:
    """Read every finished run below a folder and make one front a group of comparable runs.

    `merge` insists on a single front: FrontError names the runs and the keys that differ.
    """
    points, skipped = read_points(results)
    groups = group_points(points)
    if merge:
        refuse_unequal(groups, results)
    return FrontReport(results, [front_of(group) for group in groups], skipped)


def front_of(group: Group) -> Front:
    """Return a group's front: Figure 7's pair, or total and natural accuracy without a baseline.

    Where a run has no total, as after an evaluation with union_only, union stands in its place.
    """
    rows = rows_of(group)
    pair = (UNIVERSAL, SACRIFICED) if rows[0].baseline else (TOTAL, NATURAL_ACCURACY)
    if not group.is_whole:
        pair = (UNION, NATURAL_ACCURACY)
    on_front = non_dominated(_minimised(rows, pair))
    ranks = {row: (not on, -pair[0].value(row)) for row, on in zip(rows, on_front, strict=True)}
    rows = sorted(rows, key=ranks.__getitem__)
    points = _minimised(rows, pair)
    corner = [-o.reference if o.maximised else o.reference for o in pair]
    return Front(
        group=group,
        rows=tuple(rows),
        objectives=pair,
        members=non_dominated(points),
        dominated_by=tuple(dominated_by(points)),
        hypervolume=hypervolume(points, corner),
    )


def _minimised(rows: Sequence[Row], pair: Sequence[Objective]) -> NDArray[np.float64]:
    """Return the finite points that moat.fronts takes, what is maximised negated."""
    points = [[-o.value(row) if o.maximised else o.value(row) for o in pair] for row in rows]
    return as_points(points, [row.name for row in rows])
