"""The runs that pictures are drawn of: a group, its columns, and where each run lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moat.outcomes import Outcomes
from moat.report.columns import Column, columns_of
from moat.report.evidence import outcomes_of
from moat.report.groups import Group, group_points
from moat.report.points import Point, read_points
from moat.runs import RunFolder


@dataclass(frozen=True, eq=False)
class Runs:
    """A group, its runs that differ in nothing but the seed together, and the folder of each."""

    group: Group
    columns: tuple[Column, ...]
    folders: Mapping[Point, RunFolder]

    def outcomes(self, point: Point) -> Outcomes:
        """Return a run's outcome matrix, read again."""
        return outcomes_of(self.folders[point], point.protocol_hash)


def read_runs(results: Sequence[Path]) -> tuple[list[Runs], list[str]]:
    """Return the finished runs below some folders, by group, and why others could not be read."""
    folders: dict[Path, tuple[Point, RunFolder]] = {}
    skipped: list[str] = []
    for folder in results:
        points, messages = read_points(folder)
        for point in points:
            where = folder / point.where
            folders.setdefault(where.resolve(), (point, RunFolder(where)))
        skipped += messages
    of = dict(folders.values())
    groups = group_points(of)
    return [Runs(group, tuple(columns_of(group)), of) for group in groups], skipped
