"""All scores of single runs, from the outcomes that were stored of them: no attack is run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moat.errors import MoatError, RunFolderError
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes, mean_loss, total, union, universal
from moat.report.evidence import evidence_of
from moat.report.groups import Group, differences
from moat.report.numbers import as_json
from moat.report.points import Point, point_of
from moat.runs import RunFolder, find_runs


@dataclass(frozen=True, eq=False)
class RunScores:
    """A run's scores: those of its point, its losses, and what else was asked for."""

    path: Path
    point: Point
    losses: dict[str, dict[str, float | None]]  # natural or threat, strength; None where not kept
    named: tuple[str, ...] = ()  # of what a union was asked for
    union: float | None = None  # over those
    baseline: Path | None = None
    universal: float | None = None  # against that

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
                "run": str(self.path),
                **{name: getattr(point, name) for name in _IDENTITY},
                **{name: getattr(point, name) for name in _SCORES},
                "losses": self.losses,
                "summed": point.protocol["summed"],
                "total": point.total,
                "union": point.union,
                "union_of": asked,
                "baseline": None if self.baseline is None else str(self.baseline),
                "universal": self.universal,
                "sanity": list(point.sanity),
            }
        )


def score_runs(
    paths: Sequence[Path], named: Sequence[str] = (), baseline: Path | None = None
) -> list[RunScores]:
    """Return the scores of finished runs, each named by its folder or by one above it.

    A union over `named` threats or ensembles and the universal score against a `baseline` are made
    where they are asked for, and refused by name where they cannot be.
    """
    origin = None if baseline is None else _origin(baseline)
    found = dict.fromkeys(run for path in paths for run in _runs(path))
    return [_scores(run, tuple(named), baseline, origin) for run in found]


def _scores(
    path: Path, named: tuple[str, ...], baseline: Path | None, origin: tuple[Point, Outcomes] | None
) -> RunScores:
    point, outcomes = _read(path)
    with _said_of(path):
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
        raise MoatError(
            "the run cannot be compared with the baseline: scores on different data or under "
            "different protocols are not comparable.",
            hint="\n".join(differences(one, other)),
        )
    return universal(outcomes, original, point.protocol["summed"])


def _origin(baseline: Path) -> tuple[Point, Outcomes]:
    """Return the baseline, once it has a total to be compared with."""
    if (run := _runs(baseline)) != [baseline]:
        raise RunFolderError(
            f"a baseline is one run, and {len(run)} lie below this folder.",
            where=str(baseline),
            hint="Name one of them: "
            + ", ".join(map(str, run[:3]))
            + ("" if len(run) < 4 else ", ..."),
        )
    point, outcomes = _read(baseline)
    with _said_of(baseline):
        total(outcomes, point.protocol["summed"])
    return point, outcomes


def _read(path: Path) -> tuple[Point, Outcomes]:
    folder = RunFolder(path)
    with _said_of(path):
        evidence = evidence_of(folder)
        return point_of(folder, folder.path, evidence), evidence.outcomes


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Say of a run whatever is refused without naming a place."""
    try:
        yield
    except MoatError as error:
        raise error if error.where else error.at(str(path)) from error


def _runs(path: Path) -> list[Path]:
    """Return the finished run that a folder is, or those below it."""
    below = [folder.path for folder in find_runs(path)]
    if not below:
        raise RunFolderError(
            "there is no finished run here (no run.json).",
            where=str(path),
            hint="Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or one above.",
        )
    return [path] if path in below else below


_IDENTITY = ("study", "label", "seed", "data", "protocol_hash", "examples")
_SCORES = ("natural", "accuracy", "scores", "worst", "conditional")
