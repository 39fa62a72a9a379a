"""One front for each group: the settings that no other dominates, and their joint quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moat.fronts import dominated_by, hypervolume, is_exact, non_dominated
from moat.fronts.decisions import high_trade_offs
from moat.report.differences import Differences, differences_to, require_baseline
from moat.report.front.attainment import Attainment, attainment_of
from moat.report.front.choice import Choice, choose
from moat.report.front.objectives import (
    Objective,
    corner,
    minimised,
    named_objectives,
    usual_objectives,
    values_of,
)
from moat.report.front.rival import Rival, Rivalry, rival_of, rivalry_of
from moat.report.front.uncertainty import Uncertainty, uncertainty_of
from moat.report.groups import Group, group_points, refuse_unequal
from moat.report.looks import Look
from moat.report.order import require_order, sort_key
from moat.report.points import read_points
from moat.report.rows import Row
from moat.report.settings import Setting, rows_in, settings_of


@dataclass(frozen=True, eq=False)
class Front:
    """The settings of one group, members of the front first, each part by its first objective.

    A setting is one run, or several that differ only in their seeds, placed at their mean;
    membership refers to the setting. `dominated_by` gives for each the place of a member that
    dominates it, None for members. The reference point of the hypervolume is fixed: 0 for maximised
    objectives, 100 for sacrificed accuracy, so hypervolumes on the same data and protocol can be
    compared across reports. `knees` are the places of members with a high trade-off.
    """

    group: Group
    settings: tuple[Setting, ...]
    objectives: tuple[Objective, ...]
    members: NDArray[np.bool_]
    dominated_by: tuple[int | None, ...]
    hypervolume: float
    knees: tuple[int, ...] = ()
    uncertainty: Uncertainty | None = None
    attainment: Attainment | None = None
    choice: Choice | None = None
    rival: Rival | None = None
    differences: Differences | None = None

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The objectives as they are shown, of shape (settings, objectives)."""
        return values_of(self.settings, self.objectives)

    def look(self, place: int) -> Look:
        """Return the look of a setting, the same in every picture."""
        return self.group.looks.of(self.settings[place].first)

    @property
    def variants(self) -> dict[str, Look]:
        """The look of each variant, in the planned order of their studies."""
        looks = self.group.looks
        shown = looks.ordered(point.variant for point in self.group.points)
        return {name: looks.variants[name] for name in shown}

    @property
    def shows_attainment(self) -> bool:
        """Whether its picture has the attainment surfaces: not beside another front's lines."""
        return self.attainment is not None and len(self.objectives) == 2 and self.rival is None

    @property
    def minimised(self) -> NDArray[np.float64]:
        """The objectives for `moat.fronts`, with maximised ones negated."""
        return minimised(self.settings, self.objectives)

    @cached_property
    def runs_dominated_by(self) -> dict[str, Row | None]:
        """For each run, by its folder, a run that dominates it, None where no other run does."""
        rows = rows_in(self.settings)
        found = dominated_by(minimised(rows, self.objectives))
        return {
            row.point.where: None if rival is None else rows[rival]
            for row, rival in zip(rows, found, strict=True)
        }

    @property
    def exact(self) -> bool:
        """Whether the hypervolume is exact, not an approximation."""
        return is_exact(self.minimised, corner(self.objectives))

    @property
    def several_seeds(self) -> bool:
        """Whether some setting is the mean of several runs."""
        return any(len(setting.rows) > 1 for setting in self.settings)

    @property
    def duplicates(self) -> list[list[str]]:
        """The names of settings that are equal in every objective, each set of them."""
        same: dict[tuple[float, ...], list[str]] = {}
        for setting, values in zip(self.settings, self.values.tolist(), strict=True):
            same.setdefault(tuple(values), []).append(setting.name)
        return [names for names in same.values() if len(names) > 1]


@dataclass(frozen=True)
class FrontReport:
    """One front for each group, and the messages of unreadable runs."""

    results: tuple[Path, ...]
    fronts: list[Front]
    skipped: list[str]


def make_fronts(
    *results: Path,
    merge: bool = False,
    objectives: Sequence[str] = (),
    against: Path | None = None,
    prefer: Mapping[str, float] | None = None,
    sort: str | None = None,
    baseline: str | None = None,
) -> FrontReport:
    """Read every finished run in some folders; make one front for each comparable group.

    `objectives` are names of scores, threats and ensembles. `merge` insists on a single front:
    otherwise FrontError names the runs and the differing keys. `against` is another results folder,
    whose fronts are compared with these; a front without its counterpart there is refused. `prefer`
    gives scores their weights for the choice of one run on its held-out examples. `sort` is a cost
    ("passes", "passes_to_here", "seconds") or a score: the order of the members, and of the others,
    in place of the first objective. `baseline` names the setting that the others are compared with,
    in place of the usual one.
    """
    points, skipped = read_points(*results)
    groups = group_points(points)
    if merge:
        refuse_unequal(groups, results[0])
    fronts, missed = fronts_of(groups, objectives, against, prefer, sort, baseline)
    return FrontReport(results, fronts, [*skipped, *missed])


def fronts_of(
    groups: Sequence[Group],
    objectives: Sequence[str] = (),
    against: Path | None = None,
    prefer: Mapping[str, float] | None = None,
    sort: str | None = None,
    baseline: str | None = None,
) -> tuple[list[Front], list[str]]:
    """Return a front a group, measured and chosen from as asked, and what could not be read.

    Beside those of `against`, which may have been evaluated on other examples, fronts are of the
    examples that both share.
    """
    rivalries, missed = list[Rivalry](), list[str]()
    if against is not None:
        others, missed = read_points(against)
        rivalries = [rivalry_of(group, group_points(others), against) for group in groups]
        groups = [rivalry.group for rivalry in rivalries]
    fronts = [front_of(group, objectives, sort, baseline) for group in groups]
    if baseline is not None and not any(front.differences for front in fronts):
        require_baseline([setting for one in fronts for setting in one.settings], baseline)
    if prefer:
        fronts = [replace(one, choice=choose(one.settings, one.group, prefer)) for one in fronts]
    if rivalries:
        fronts = [
            replace(one, rival=rival_of(rivalry, one.objectives, one.minimised[one.members]))
            for one, rivalry in zip(fronts, rivalries, strict=True)
        ]
    return fronts, missed


def front_of(
    group: Group,
    objectives: Sequence[str] = (),
    sort: str | None = None,
    baseline: str | None = None,
) -> Front:
    """Return a group's front by the named objectives, or by the usual two."""
    settings = settings_of(group)
    differences = differences_to(settings, baseline)  # the usual baseline is the first of its kind
    chosen = (
        named_objectives(objectives, settings, group)
        if objectives
        else usual_objectives(settings, group)
    )
    if sort is not None:
        require_order(sort, group)
    points = minimised(settings, chosen)
    keys = [
        (False, first) if sort is None else sort_key(setting, sort)
        for setting, first in zip(settings, points[:, 0], strict=True)
    ]
    ranks = sorted(zip(~non_dominated(points), keys, range(len(settings)), strict=True))
    settings = [settings[place] for _, _, place in ranks]
    points = minimised(settings, chosen)
    members = non_dominated(points)
    return Front(
        group=group,
        settings=tuple(settings),
        objectives=chosen,
        members=members,
        dominated_by=tuple(dominated_by(points)),
        hypervolume=hypervolume(points, corner(chosen)),
        knees=tuple(high_trade_offs(points[members])),  # members come first
        uncertainty=uncertainty_of(settings, chosen),
        attainment=attainment_of(settings, chosen),
        differences=differences,
    )
