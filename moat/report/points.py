"""Finished runs as points: run folders, scored from their stored outcomes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from moat.errors import FrontError, MoatError
from moat.names import NATURAL
from moat.outcomes import NATURAL_COLUMN, Outcomes, accuracy, summary, union
from moat.outcomes.intervals import Floats
from moat.printable import all_printable, printable
from moat.records import Check, ProtocolRecord
from moat.records.start import StartRecord
from moat.report.evidence import Evidence, evidence_of
from moat.runs import RunFolder, as_typed, find_runs, is_stale, require_results, unfinished_runs

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Point:
    """One finished run. Scores are percent, computed from the outcome matrix, never read as text.

    A score is None if it needs omitted searches. Natural always exists, and union if any threat was
    evaluated.
    """

    where: str  # the run folder, seen from the results folder
    folder: Path
    study: str
    variant: str
    sweep: dict[str, Any]
    seed: int
    label: str
    data: dict[str, Any]
    protocol: ProtocolRecord
    protocol_hash: str
    natural: float
    accuracy: dict[str, dict[str, float | None]]  # threat, strength
    scores: dict[str, float | None]  # threat or ensemble
    worst: dict[str, float | None]
    conditional: dict[str, float | None]
    total: float | None
    union: float | None
    examples: int
    outcomes: Outcomes = field(repr=False)  # the matrix, without its losses
    is_natural: bool = False  # trained plainly, whatever its variant is called
    training: dict[str, Any] = field(default_factory=dict)  # how it went: epochs, clamped share
    trains: dict[str, Any] = field(default_factory=dict)  # the identity of its training
    train_hash: str | None = None  # the hash of that
    start: StartRecord | None = None  # of its training, unless its weights were new
    plugins: dict[str, str] = field(default_factory=dict)  # packages of that, with versions
    evaluation_plugins: dict[str, str] = field(default_factory=dict)  # and of the protocol
    classes: int | None = None
    sanity: tuple[Check, ...] = ()  # the gate's checks; empty where none was stored
    tags: Sequence[str] = ()  # the user's own words for it, and the notes
    notes: str = ""
    passes_to_here: float | None = None  # of its training, and of those that led to its start
    is_stale: bool = False  # the run of the study that it started from was trained again

    @property
    def place(self) -> str:
        """Its folder as the user named it, within its bundle if it is in one."""
        return as_typed(str(self.folder))

    @property
    def scored(self) -> list[str]:
        """The names with a score, in the protocol's order: the threats, then the ensembles."""
        return self.protocol.scored

    @property
    def out_of_reach(self) -> float | None:
        """The share of its steps, in percent, whose r no weights could reach; None without one."""
        share = self.training.get("clamped_share")
        return 100 * share if isinstance(share, int | float) else None


def in_order(point: Point, added: Floats) -> Floats:
    """Return what a run's examples add in the order of their ids."""
    return np.asarray(added[np.argsort(point.outcomes.ids, kind="stable")])


def read_points(*results: Path) -> tuple[list[Point], list[str]]:
    """Return a point for each finished run in some folders, and the errors of the others.

    A run in two of them counts once, as do a run and its copy, with a message. FrontError names a
    folder without any.
    """
    top = results[0] if len(results) == 1 else None
    return each_once([_read_below(below, top or below.parent) for below in results])


def each_once(read: Iterable[tuple[list[Point], list[str]]]) -> tuple[list[Point], list[str]]:
    """Return the runs that were read below several folders, each once, and what is told of others.

    `read` has for each folder its points, and why others could not be read.
    """
    points: dict[Path, Point] = {}
    skipped: list[str] = []
    for found, failed in read:
        kept, copies = _without_copies(found, points)
        points = points | {place: p for p in kept if (place := p.folder.resolve()) not in points}
        told = [*failed, *_told_of(copies)]
        skipped += [message for message in told if message not in skipped]
    return list(points.values()), skipped


def _read_below(results: Path, top: Path) -> tuple[list[Point], list[str]]:
    require_results(results, FrontError)
    protocols: dict[str, ProtocolRecord] = {}
    points, failed = read_each(
        find_runs(results), lambda folder: _shared(read_point(folder, top), protocols)
    )
    skipped = [*map(error_text, failed), *unfinished_lines(results)]
    if not points:
        found = "this folder contains no finished run."
        if skipped:
            found = f"none of the {len(skipped)} runs in this folder can be read."
        raise FrontError(found, where=str(results), hint="\n".join([*skipped, _TRAIN]))
    return points, skipped


def read_each(
    folders: Iterable[RunFolder], read: Callable[[RunFolder], T]
) -> tuple[list[T], list[MoatError]]:
    """Return what is read of each run, and an error that names its place for each other one."""
    found: list[T] = []
    failed: list[MoatError] = []
    for folder in folders:
        try:
            found.append(read(folder))
        except MoatError as error:
            failed.append(error if error.where else error.at(str(folder.path)))
    return found, failed


def error_text(error: MoatError) -> str:
    """Return the text of an error that is told of a run, and ends nothing."""
    return printable(as_typed(str(error)), lines=True)


def unfinished_lines(results: Path) -> list[str]:
    """Return a line for each run below a folder that was begun and is not finished."""
    begun = [printable(as_typed(str(run.path))) for run in unfinished_runs(results)]
    return [_UNFINISHED.format(folder=folder) for folder in begun]


def _without_copies(
    found: Sequence[Point], known: Mapping[Path, Point]
) -> tuple[list[Point], list[tuple[Point, Point]]]:
    """Return the points below a folder without copies of known ones, and these, with the first."""
    firsts: dict[tuple[Any, ...], list[Point]] = {}
    for point in known.values():
        firsts.setdefault(_called(point), []).append(point)
    kept, copies = [], []
    for point in found:
        alike = firsts.get(_called(point), [])
        first = next((other for other in alike if _is_copy(point, other)), None)
        if first is None or first.folder.resolve() == point.folder.resolve():
            kept.append(point)
        else:
            copies.append((point, first))
    return kept, copies


def _told_of(copies: Sequence[tuple[Point, Point]]) -> list[str]:
    if not copies:
        return []
    copy, first = (point.place for point in copies[0])
    more = f", and so are {len(copies) - 1} more of its runs" if copies[1:] else ""
    return [printable(f"{copy}: the same run as {first}{more}. Each counts once.")]


def _called(point: Point) -> tuple[Any, ...]:
    return point.study, point.label, point.seed, point.protocol_hash


def _is_copy(point: Point, other: Point) -> bool:
    """Say whether two points are of one run: the same training, data and outcomes."""
    same = point.trains == other.trains and point.data == other.data
    one, two = point.outcomes, other.outcomes
    return same and np.array_equal(one.values, two.values) and np.array_equal(one.ids, two.ids)


def _shared(point: Point, protocols: dict[str, ProtocolRecord]) -> Point:
    """Return a point with the record of its protocol that an earlier one has, if it is the same.

    A thousand equal protocols slow Python's collection of garbage down.
    """
    known = protocols.setdefault(point.protocol_hash, point.protocol)
    return replace(point, protocol=known) if known == point.protocol else point


def read_point(folder: RunFolder, results: Path) -> Point:
    """Return one finished run as a point; raise RunFolderError if it cannot be trusted."""
    evidence = evidence_of(folder, losses=False)
    folder.require_whole_weights(evidence.record)
    return point_of(folder, results, evidence)


def point_without_weights(folder: RunFolder, results: Path) -> Point:
    """Return one finished run as `read_point` does, whatever lies in the place of its weights."""
    return point_of(folder, results, evidence_of(folder, losses=False))


def point_of(folder: RunFolder, results: Path, evidence: Evidence) -> Point:
    """Return a run as a point; UnsearchedError where not even natural and union can be scored."""
    record, outcomes = evidence.record, evidence.outcomes
    return Point(
        where=folder.path.relative_to(results).as_posix(),
        folder=folder.path,
        is_natural=described_type(record.trains.get("scalarizer")) == NATURAL,
        training=_told(record.training),
        trains=record.trains,
        train_hash=record.train_hash,
        start=record.start,
        plugins=record.plugins or {},
        evaluation_plugins=record.evaluation_plugins or {},
        sanity=evidence.sanity,
        classes=record.classes,
        outcomes=outcomes if outcomes.losses is None else replace(outcomes, losses=None),
        seed=record.seed,
        notes=printable(record.notes, lines=True),
        protocol=record.protocol,
        protocol_hash=record.protocol_hash,
        passes_to_here=record.passes_to_here,
        is_stale=is_stale(folder, record),
        **{name: all_printable(getattr(record, name)) for name in _SHOWN},
        **_scores_of(outcomes, evidence.scores),
    )


def on_examples(point: Point, ids: NDArray[np.int64]) -> Point:
    """Return a run with the scores of these of its examples alone, in the order of `ids`."""
    outcomes = point.outcomes.at(ids)
    made = _scores_of(outcomes, summary(outcomes, point.protocol.summed))
    return replace(point, outcomes=outcomes, **made)


def _scores_of(outcomes: Outcomes, made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores that a point has; UnsearchedError where there is no natural or union."""
    always = {"natural": accuracy(outcomes, NATURAL_COLUMN)}
    if outcomes.threats:
        always["union"] = union(outcomes, outcomes.threats)
    return {name: {**made, **always}[name] for name in _SCORES}


def _told(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the training went in one flat table, what the scalarizer logged included."""
    logged = training.get("scalarizer")
    told = {key: value for key, value in training.items() if key != "scalarizer"}
    return {**told, **logged} if isinstance(logged, dict) else told


def described_type(table: Any) -> Any:
    """Return the `type` of a described object, None where it is none."""
    return table.get("type") if isinstance(table, dict) else None


_SHOWN = ("study", "variant", "label", "sweep", "data", "tags")
_SCORES = (
    *("natural", "accuracy", "scores", "worst", "conditional", "total", "union", "examples"),
)
NOT_FINISHED = "the run is not finished."
"""The message of a run that has begun and has no fault."""
_UNFINISHED = f"{{folder}}: {NOT_FINISHED} `moat train` with its recipe resumes it."
_TRAIN = "`moat train RECIPE` trains runs; name the folder they were written to."
