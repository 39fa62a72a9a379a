"""The runs that pictures are drawn of: a group and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moat.report.groups import Group, group_points
from moat.report.points import read_points
from moat.report.settings import Setting, settings_of


@dataclass(frozen=True, eq=False)
class Runs:
    """A group, and its runs that differ in nothing but the seed together."""

    group: Group
    settings: tuple[Setting, ...]


def read_runs(results: Sequence[Path]) -> tuple[list[Runs], list[str]]:
    """Return the finished runs below some folders, by group, and why others could not be read."""
    points, skipped = read_points(*results)
    return [Runs(group, tuple(settings_of(group))) for group in group_points(points)], skipped
