"""Finished runs as points: what a run folder says of itself, scored from its stored outcomes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moat.errors import FrontError, MoatError, RunFolderError
from moat.outcomes import NATURAL_COLUMN, Outcomes, accuracy, from_arrays, summary, union
from moat.runs import RunFolder, find_runs
from moat.storage import Record
from moat.types import NATURAL


@dataclass(frozen=True, eq=False)
class Point:
    """One finished run. Scores are percent, made of the outcome matrix, never read as text.

    A score is None where it would touch what was not searched; natural and union always exist.
    """

    where: str  # the run folder, seen from the results folder
    study: str
    variant: str
    sweep: dict[str, Any]
    seed: int
    label: str
    data: dict[str, Any]
    protocol: dict[str, Any]
    protocol_hash: str
    natural: float
    accuracy: dict[str, dict[str, float | None]]  # threat, strength
    scores: dict[str, float | None]  # threat or ensemble
    worst: dict[str, float | None]
    conditional: dict[str, float | None]
    total: float | None
    union: float
    examples: int
    is_natural: bool = False  # trained plainly, whatever its variant is called
    training: dict[str, Any] = field(default_factory=dict)  # how it went: epochs, clamped share
    trains: dict[str, Any] = field(default_factory=dict)  # everything that trained it
    classes: int | None = None
    sanity: tuple[dict[str, Any], ...] = ()  # the gate's checks; empty where none was stored

    @property
    def scored(self) -> list[str]:
        """What has a score, in the protocol's order: the threats, then the ensembles."""
        return [*self.protocol["threats"], *self.protocol.get("ensembles", {})]

    @property
    def out_of_reach(self) -> float | None:
        """The share of its steps, in percent, whose r no weights could reach; None without one."""
        share = self.training.get("clamped_share")
        return 100 * share if isinstance(share, int | float) else None


def read_points(results: Path) -> tuple[list[Point], list[str]]:
    """Return a point for each finished run below a folder, and why others could not be read."""
    if not results.is_dir():
        raise FrontError("there is no such folder.", where=str(results), hint=_TRAIN)
    points, skipped = [], []
    for folder in find_runs(results):
        try:
            points.append(read_point(folder, results))
        except MoatError as error:
            skipped.append(str(error if error.where else error.at(str(folder.path))))
    if not points:
        found = "no finished run lies below this folder."
        if skipped:
            found = f"none of the {len(skipped)} finished runs below this folder can be read."
        raise FrontError(found, where=str(results), hint="\n".join([*skipped, _TRAIN]))
    return points, skipped


def read_point(folder: RunFolder, results: Path) -> Point:
    """Return one finished run as a point; raise RunFolderError where it cannot be trusted."""
    return point_of(folder, results, judged(folder))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What lies in a finished run's folder: its record, its outcomes, its sanity gate."""

    record: Record
    outcomes: Outcomes
    sanity: tuple[Record, ...]


def point_of(folder: RunFolder, results: Path, evidence: Evidence) -> Point:
    """Return a run as a point; UnsearchedError where not even natural and union can be scored."""
    record, outcomes = evidence.record, evidence.outcomes
    made: Record = summary(outcomes, record["protocol"]["summed"])
    made["natural"] = accuracy(outcomes, NATURAL_COLUMN)
    made["union"] = union(outcomes, outcomes.threats)
    trains, classes = _table(record.get("trains")), record.get("classes")
    return Point(
        where=folder.path.relative_to(results).as_posix(),
        is_natural=described_type(trains.get("scalarizer")) == NATURAL,
        training=_told(record.get("training")),
        trains=trains,
        sanity=evidence.sanity,
        classes=classes if isinstance(classes, int) and classes > 0 else None,
        **{name: record[name] for name in _RECORD},
        **{name: made[name] for name in _SCORES},
    )


def judged(folder: RunFolder) -> Evidence:
    """Return what a finished run says of itself and what was found, once the two agree."""
    record = folder.read_record() or {}
    _check(folder, record, _RECORD, "")
    protocol = record["protocol"]
    _check(folder, protocol, _PROTOCOL, "protocol.")
    outcomes, about = _stored(folder, record["protocol_hash"])
    if set(outcomes.threats) != set(protocol["threats"]):
        raise _untrusted(
            folder,
            f"threats {_names(outcomes.threats)} were searched, its protocol names "
            f"{_names(protocol['threats'])}",
        )
    ensembles = _table(protocol.get("ensembles"))
    if {name: list(members) for name, members in outcomes.ensembles.items()} != ensembles:
        raise _untrusted(
            folder,
            f"ensembles {_names(outcomes.ensembles)} were made, its protocol names "
            f"{_names(ensembles)}, or other members",
        )
    if unknown := set(protocol["summed"]) - set(outcomes.names):
        raise _untrusted(folder, f"{_names(unknown)} is to be summed and was not searched")
    return Evidence(record, outcomes, _checks(folder, about))


def _told(training: Any) -> dict[str, Any]:
    """Return how the training went in one flat table, what the scalarizer logged included."""
    told = dict(_table(training))
    return {**told, **_table(told.pop("scalarizer", None))}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def described_type(table: Any) -> Any:
    """Return the `type` of a described object, None where it is none."""
    return table.get("type") if isinstance(table, dict) else None


def _checks(folder: RunFolder, about: Record) -> tuple[Record, ...]:
    """Return the checks of the sanity gate, none where an evaluation was made before there was."""
    checks = about.get("sanity", [])
    if not isinstance(checks, list) or not all(map(_is_check, checks)):
        raise _untrusted(folder, "its sanity gate is no list of checks")
    return tuple(checks)


def _is_check(value: Any) -> bool:
    """Say whether a value is a check of the gate, as evaluation stores it."""
    check = _table(value)
    texts = all(isinstance(check.get(key), str) for key in _CHECK)
    return texts and isinstance(check.get("figure"), float | int | None)


def outcomes_of(folder: RunFolder, protocol_hash: str = "") -> Outcomes:
    """Return the stored outcome matrix of a run, made under this protocol where one is named."""
    return _stored(folder, protocol_hash)[0]


def _stored(folder: RunFolder, protocol_hash: str) -> tuple[Outcomes, Record]:
    """Return the outcome matrix, and what is stored beside it."""
    loaded = folder.load_evaluation()
    if loaded is None:
        raise RunFolderError(
            "the run is finished but its evaluation is missing.",
            where=str(folder.path),
            hint="`moat evaluate` with this folder makes it.",
        )
    arrays, about = loaded
    for held in (arrays, about):
        made_under = str(held.get("protocol_hash", protocol_hash))
        if protocol_hash and made_under != protocol_hash:
            raise _untrusted(
                folder, f"it is of protocol {made_under}, its record of {protocol_hash}"
            )
    try:
        return from_arrays(arrays), about
    except (ValueError, TypeError) as error:
        raise _untrusted(folder, str(error)) from error


def _check(folder: RunFolder, table: Record, kinds: dict[str, type], prefix: str) -> None:
    for name, kind in kinds.items():
        if not isinstance(table.get(name), kind):
            raise RunFolderError(
                f"its record is not moat's: {prefix}{name} is {table.get(name)!r} and should be "
                f"of type {kind.__name__}.",
                where=str(folder.path),
                hint=_AGAIN,
            )


def _untrusted(folder: RunFolder, why: str) -> RunFolderError:
    return RunFolderError(
        f"its evaluation cannot be trusted: {why}.", where=str(folder.path), hint=_AGAIN
    )


def _names(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"


_RECORD: dict[str, type] = {
    **{"study": str, "variant": str, "sweep": dict, "seed": int, "label": str},
    **{"data": dict, "protocol": dict, "protocol_hash": str},
}
_PROTOCOL: dict[str, type] = {"threats": dict, "summed": list}
_SCORES = (
    *("natural", "accuracy", "scores", "worst", "conditional", "total", "union", "examples"),
)
_CHECK = ("name", "verdict", "text")
_TRAIN = "`moat train RECIPE` trains runs; name the folder they were written to."
_AGAIN = "`moat evaluate` with this folder makes it anew; `moat train --overwrite` trains it again."
