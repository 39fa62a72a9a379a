"""The settings of a front and of a scoreboard: variants and points of their sweeps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from moat.report.groups import Group, group_points
from moat.report.numbers import ascending
from moat.report.points import Point, read_points
from moat.report.rows import Row, names_of, rows_of
from moat.report.setting_key import setting_keys

GUESS, MARGIN = 1.5, 5.0
"""A natural accuracy counts as a guess up to this factor and this many points above chance."""


@dataclass(frozen=True, eq=False)
class Setting:
    """The runs that differ in nothing but their seeds, under the name that tells them apart."""

    name: str
    rows: tuple[Row, ...]

    @property
    def points(self) -> list[Point]:
        """The runs."""
        return [row.point for row in self.rows]

    @property
    def first(self) -> Point:
        """A run to read off what all of them share."""
        return self.rows[0].point

    @property
    def seeds(self) -> list[int]:
        """The seeds of the runs."""
        return [point.seed for point in self.points]

    def mean(self, score: Callable[[Row], float | None]) -> float | None:
        """Return the mean of a score over the runs, None where any of them has none."""
        values = [value for row in self.rows if (value := score(row)) is not None]
        return fmean(values) if len(values) == len(self.rows) else None

    @property
    def guesses(self) -> int:
        """The number of runs that do no better than a constant guess."""
        return sum(is_guess(point) for point in self.points)


@dataclass(frozen=True, eq=False)
class Runs:
    """A group of comparable runs, and its settings."""

    group: Group
    settings: tuple[Setting, ...]


def read_runs(results: Sequence[Path]) -> tuple[list[Runs], list[str]]:
    """Return the finished runs below some folders, by group, and why others could not be read."""
    points, skipped = read_points(*results)
    return [Runs(group, tuple(settings_of(group))) for group in group_points(points)], skipped


def rows_in(settings: Iterable[Setting]) -> list[Row]:
    """Return every run, a setting after the other."""
    return [row for setting in settings for row in setting.rows]


def is_guess(point: Point) -> bool:
    """Say whether a run's natural accuracy is about what one answer to everything reaches."""
    return point.classes is not None and point.natural <= guess_limit(point.classes)


def guess_limit(classes: int) -> float:
    """Return the natural accuracy, in percent, up to which a run counts as a constant guess."""
    chance = 100 / classes
    return min(GUESS * chance, chance + MARGIN)


def settings_of(group: Group, variants: Sequence[str] = ()) -> list[Setting]:
    """Return the group's settings: a study after the other, in each its natural runs first.

    Then the variants in the order given, then the others as they were read; sweep values ascend.
    """
    gathered: dict[str, list[Row]] = {}
    keys = setting_keys(group.points)
    for row in rows_of(group):
        gathered.setdefault(keys[row.point], []).append(row)
    parts = [part for rows in gathered.values() for part in _one_run_a_seed(rows)]
    ranks = list(dict.fromkeys([*variants, *(point.variant for point in group.points)]))
    parts.sort(key=lambda rows: _rank(rows[0].point, group.studies, ranks))
    # Of one seed, so that names_of tells apart by study, and by folder where all else agrees.
    names = names_of([replace(rows[0].point, seed=0) for rows in parts])
    return [Setting(name, tuple(rows)) for name, rows in zip(names, parts, strict=True)]


def _one_run_a_seed(rows: list[Row]) -> list[list[Row]]:
    """Return the runs together, or each alone where a seed comes twice: no mean is of copies."""
    rows = sorted(rows, key=lambda row: row.point.seed)
    twice = len({row.point.seed for row in rows}) < len(rows)
    return [[row] for row in rows] if twice else [rows]


def _rank(point: Point, studies: list[str], variants: list[str]) -> tuple[Any, ...]:
    place = variants.index(point.variant)
    return studies.index(point.study), not point.is_natural, place, ascending(point.sweep.values())
