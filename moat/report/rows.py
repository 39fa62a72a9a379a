"""A group's runs beside its natural runs: the gain of each, and its cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from moat.printable import printable
from moat.report.groups import Group
from moat.report.points import Point


@dataclass(frozen=True, eq=False)
class Row:
    """One run under a name unique in its group.

    `universal` is the sum of the scores' gains over the natural baseline (Table 1), `sacrificed`
    the natural accuracy lost against it (Figure 7); both None in a group without a natural run,
    `universal` also if the run or its baseline has no total. `baseline` names the natural runs of
    the comparison: one, or several for their mean; `origin` are these runs themselves.
    """

    name: str
    point: Point
    baseline: tuple[str, ...] = ()
    universal: float | None = None
    sacrificed: float | None = None
    origin: tuple[Point, ...] = ()


def rows_of(group: Group) -> list[Row]:
    """Return the group's runs, each named and compared with its natural baseline."""
    names = dict(zip(group.points, names_of(group.points), strict=True))
    naturals = [point for point in group.points if point.is_natural]
    rows = []
    for point, name in names.items():
        base = baseline_of(point, naturals)
        if not base:
            rows.append(Row(name, point))
            continue
        sacrificed = fmean(natural.natural for natural in base) - point.natural
        baseline = tuple(names[natural] for natural in base)
        gained = _gained(point, base)
        rows.append(Row(name, point, baseline, gained, sacrificed, tuple(base)))
    return rows


def _gained(point: Point, base: Sequence[Point]) -> float | None:
    """Return the gain over the mean of the baseline, None where a total is absent."""
    totals = [natural.total for natural in base if natural.total is not None]
    if point.total is None or len(totals) < len(base):
        return None
    return point.total - fmean(totals)


def baseline_of(point: Point, naturals: Sequence[Point]) -> list[Point]:
    """Return the natural runs of the same seed, or else all.

    Whatever its study: two runs of one seed are measured from one origin, so that on a front
    none stands above another that beats it everywhere.
    """
    return [natural for natural in naturals if natural.seed == point.seed] or list(naturals)


def names_of(points: Sequence[Point]) -> list[str]:
    """Return the shortest names that tell the runs apart: study and seed only where they vary."""
    studies, seeds = {point.study for point in points}, {point.seed for point in points}
    names = [
        (f"{point.study}: " if len(studies) > 1 else "")
        + point.label
        + (f" seed {point.seed}" if len(seeds) > 1 else "")
        for point in points
    ]
    count = Counter(names)
    return [
        name if count[name] == 1 else f"{name} [{printable(point.where)}]"
        for name, point in zip(names, points, strict=True)
    ]
