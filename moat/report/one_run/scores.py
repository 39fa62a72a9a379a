"""All scores of single runs, from their stored outcomes, without an attack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moat.errors import InputError, MoatError
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes, mean_loss, total, union, universal
from moat.plain import as_json
from moat.report.groups import Group, differences
from moat.report.points import Point, each_once
from moat.report.runs_by_name import at_run, read_named, read_run, run_at
from moat.runs import RunFolder, as_typed


def _nobody(message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class RunScores:
    """A run's scores: those of its point, its losses, and the requested ones."""

    path: Path
    point: Point
    losses: dict[str, dict[str, float | None]]  # natural or threat, strength; None where not kept
    named: tuple[str, ...] = ()  # of what a union was asked for
    union: float | None = None  # over those
    baseline: Path | None = None
    universal: float | None = None  # against that

    @property
    def typed(self) -> str:
        """The run's folder as the user named it, within its bundle if it is in one."""
        return as_typed(str(self.path))

    @property
    def group(self) -> Group:
        """The run alone, for the words that explain its protocol."""
        return Group((self.point,))

    def as_table(self) -> dict[str, Any]:
        """Return all of it as plain data for JSON; what is undefined or absent is None."""
        point = self.point
        asked = {"threats": list(self.named), "union": self.union} if self.named else None
        return as_json(  # type: ignore[no-any-return]
            {
                "run": self.typed,
                **{name: getattr(point, name) for name in _IDENTITY},
                **{name: getattr(point, name) for name in _SCORES},
                "losses": self.losses,
                "summed": list(point.protocol.summed),
                "total": point.total,
                "union": point.union,
                "union_of": asked,
                "baseline": None if self.baseline is None else as_typed(str(self.baseline)),
                "universal": self.universal,
                "sanity": [check.as_table() for check in point.sanity],
            }
        )


def score_runs(
    paths: Sequence[Path],
    named: Sequence[str] = (),
    baseline: Path | None = None,
    told: Callable[[str], object] = _nobody,
) -> list[RunScores]:
    """Return the scores of finished runs, each named by its folder or by one above it.

    A union over `named` threats or ensembles, and the universal score against a `baseline`, are
    added on request, and refused by name if they cannot be made. A run in two of the paths, and a
    copy of another, counts once. `told` receives each omitted run with the reason. RunFolderError
    names a path without a run to score.
    """
    baseline = None if baseline is None else run_at(baseline, "a baseline")
    origin = None if baseline is None else _origin(baseline)
    made: dict[Path, RunScores] = {}

    def read(folder: RunFolder) -> Point:
        scores = _scores(folder.path, tuple(named), baseline, origin)
        made[scores.point.folder] = scores
        return scores.point

    points, skipped = each_once([read_named(path, read) for path in paths])
    for message in skipped:
        told(message)
    return [made[point.folder] for point in points]


def _scores(
    path: Path, named: tuple[str, ...], baseline: Path | None, origin: tuple[Point, Outcomes] | None
) -> RunScores:
    point, evidence = read_run(path)
    outcomes = evidence.outcomes
    with at_run(path):
        asked = union(outcomes, named) if named else None
        gained = None if origin is None else _gained(point, outcomes, *origin)
    searched = [NATURAL_COLUMN, *(c for name in outcomes.threats for c in outcomes.of(name))]
    losses: dict[str, dict[str, float | None]] = {}
    for column in searched:
        losses.setdefault(column.threat, {})[column.written] = _loss(outcomes, column)
    return RunScores(path, point, losses, named, asked, baseline, gained)


def _loss(outcomes: Outcomes, column: Column) -> float | None:
    try:
        return mean_loss(outcomes, column)
    except MoatError:
        return None


def _gained(point: Point, outcomes: Outcomes, origin: Point, original: Outcomes) -> float:
    """Return the universal score; refuse a baseline on other data or of another protocol."""
    one, other = Group((point,)), Group((origin,))
    if (point.data, point.protocol_hash) != (origin.data, origin.protocol_hash):
        raise InputError(
            "the run cannot be compared with the baseline: scores on different data or under "
            "different protocols are not comparable.",
            hint="\n".join(differences(one, other)),
        )
    return universal(outcomes, original, point.protocol.summed)


def _origin(baseline: Path) -> tuple[Point, Outcomes]:
    """Return the baseline, once it has a total to be compared with."""
    point, evidence = read_run(baseline)
    with at_run(baseline):
        total(evidence.outcomes, point.protocol.summed)
    return point, evidence.outcomes


_IDENTITY = ("study", "label", "seed", "data", "protocol_hash", "examples")
_SCORES = ("natural", "accuracy", "scores", "worst", "conditional")
