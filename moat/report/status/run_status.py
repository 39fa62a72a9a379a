"""The state of one run, from its folder's files alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from statistics import harmonic_mean
from typing import Any

from moat.errors import RunFolderError
from moat.parsing import LARGEST
from moat.printable import printable
from moat.records import RunRecord
from moat.runs import RunFolder, as_typed, require_one_protocol, require_one_training
from moat.storage import Record

_FAR = 10_000  # lines of a log; more lie within no epoch of ours


class State(StrEnum):
    """The state of a run.

    *running* and *evaluating*: a process is at work on the folder, and the trained weights are not
    there yet, or are. Whether one is, its holder's file says (`moat.runs.holder.is_alive`); the
    other states are those of a folder that nobody is at. *failed*: the last try left a reason.
    *done*: there is a record, by the protocol that is planned. *interrupted*: begun, and neither.
    *waiting*: not begun, or still to be evaluated by another protocol.
    """

    done = "done"
    running = "running"
    evaluating = "evaluating"
    waiting = "waiting"
    interrupted = "interrupted"
    failed = "failed"


SETTLED = (State.done, State.failed)
"""States that only a change among the folder's files ends."""


@dataclass(frozen=True)
class Passes:
    """The cost of a run's parts, in passes times examples; `parts` files hold an evaluation."""

    training: float
    validation: float
    evaluation: float
    gate: float
    parts: float = 0.0

    @property
    def judging(self) -> float:
        """The passes after the training."""
        return self.evaluation + self.gate


@dataclass(frozen=True)
class Live:
    """The end of a run's log: how far it is, and its newest figures; None of what is not known."""

    epoch: int | None = None
    step: int | None = None
    steps: int | None = None  # in the whole run
    rate: float | None = None  # images a second
    mean_rate: float | None = None  # the same, of the whole epoch so far
    loss: dict[str, float | None] = field(default_factory=dict)
    weight: dict[str, float | None] = field(default_factory=dict)
    validation: dict[str, float | None] = field(default_factory=dict)  # percent
    clamped_to: float | None = None  # the level that stood in for an r out of reach

    @property
    def share(self) -> float:
        """The share of its steps that the run has made, 0 if it is not known."""
        return min(1.0, self.step / self.steps) if self.step and self.steps else 0.0


@dataclass(frozen=True)
class RunStatus:
    """One run of a study, as it is now."""

    where: str  # its folder, seen from the study's
    label: str
    seed: int | None
    state: State
    epochs: int | None = None
    live: Live = field(default_factory=Live)
    found_last: tuple[int, str] | None = None  # of its evaluation: batch and threat
    why: str = ""  # it failed
    when: str = ""  # it failed, to the minute
    trained: float = 0.0  # how much of its training is over, 0 to 1
    seconds: float | None = None  # what its whole training took, or will take at its rate
    wall: float | None = None  # the same with what lies between its steps, of a done one
    passes: Passes | None = None  # None where the plan does not know them
    ended: int | None = None  # when its folder changed last, in nanoseconds, of a done one
    judged: float = 0.0  # how much of its evaluation is over, 0 to 1
    judging: float | None = None  # what its whole evaluation took, or will take at its speed
    unlike: str = ""  # what the plan calls it, and its own record does not

    @property
    def name(self) -> str:
        """The name of the run in a table."""
        return self.label if self.seed is None else f"{self.label}, seed {self.seed}"

    @property
    def left(self) -> float | None:
        """The seconds of training that are left, None if they are not known."""
        return None if self.seconds is None else (1 - self.trained) * self.seconds


def run_status(folder: RunFolder, where: str, planned: Mapping[str, Any]) -> RunStatus:
    """Return what a run is at; `planned` is what the study's plan says of it, which may be empty.

    A file of the run's that cannot be read makes it a failed one, as it would if it were tried.
    """
    about = {"where": where, **_named(planned, where), "epochs": _whole(planned.get("epochs"))}
    about["passes"] = _passes(planned.get("passes"))
    if folder.changed is None:
        return RunStatus(**about, state=State.waiting)
    if folder.is_held:
        evaluated = _evaluated(folder, about["passes"], planned)
        if evaluated:
            return RunStatus(**about, state=State.evaluating, **evaluated)
        return RunStatus(**about, state=State.running, **_progress(folder, planned))
    try:
        return _at_rest(folder, about, planned)
    except RunFolderError as error:
        why = printable(as_typed(str(error.at(error.where or where))), lines=True)
        return RunStatus(**about, state=State.failed, why=why)


def _at_rest(folder: RunFolder, about: Record, planned: Mapping[str, Any]) -> RunStatus:
    """Return what a run is at that no process works on."""
    failure, record = folder.read_failure(), folder.read_record()
    if failure is not None:
        said = {
            key: printable(str(failure.get(key, "")), lines=True) for key in ("message", "when")
        }
        when = said["when"][:16].replace("T", " ")
        return RunStatus(**about, state=State.failed, why=said["message"], when=when)
    if record is not None:
        require_one_training(record, folder.path)
        require_one_protocol(record, folder.path)
        about |= _own_name(planned, record)
        seconds = _number(record.training.get("seconds"))
        judged_by = record.protocol_hash
        as_planned = planned.get("protocol_hash", judged_by) == judged_by
        state = State.done if as_planned else State.waiting
        clock = folder.read_clock()
        wall = _number(clock.get("training"))
        same = clock.get("protocol_hash") == judged_by
        judging = _number(clock.get("evaluation")) if same else None
        took: Record = {"seconds": seconds, "wall": wall, "judging": judging}
        took["ended"] = folder.changed
        return RunStatus(**about, state=state, trained=1.0, **took)
    if not folder.is_begun:
        return RunStatus(**about, state=State.waiting)
    far = _evaluated(folder, about["passes"], planned) or _progress(folder, planned)
    return RunStatus(**about, state=State.interrupted, **far)


def _progress(folder: RunFolder, planned: Mapping[str, Any]) -> Record:
    """Return how far a run's training is, and how long all of it takes at its last rate."""
    live = live_of(folder.newest_log())
    batch = _number(planned.get("batch_size"))
    rate = live.mean_rate or live.rate
    seconds = live.steps * batch / rate if live.steps and batch and rate else None
    return {"live": live, "trained": live.share, "seconds": seconds}


def _evaluated(folder: RunFolder, passes: Passes | None, planned: Mapping[str, Any]) -> Record:
    """Return how far the evaluation of a trained run is, an empty table of one in training."""
    found = folder.newest_part()
    if not found and not folder.is_trained:
        return {}
    seconds = _progress(folder, planned)["seconds"]
    return {"found_last": found, "trained": 1.0, **_judged(folder, passes), "seconds": seconds}


def _judged(folder: RunFolder, passes: Passes | None) -> Record:
    """Return how far a run's evaluation is, and how long all of it takes at its speed so far."""
    if passes is None or not passes.parts or not passes.judging:
        return {}
    times = folder.part_times()
    judged = min(1.0, len(times) / passes.parts) * passes.evaluation / passes.judging
    if len(times) < 3 or times[-1] <= times[0]:  # the first was begun before its time
        return {"judged": judged}
    so_far = (times[-1] - times[0]) * len(times) / (len(times) - 1)
    return {"judged": judged, "judging": so_far / judged}


def _passes(table: Any) -> Passes | None:
    """Return the passes that a plan says, None where it says none."""
    values = {part: _number(value) for part, value in _table_of(table).items()}
    known = {part: value for part, value in values.items() if value is not None and value >= 0}
    try:
        passes = Passes(**known)
    except TypeError:  # of another version
        return None
    return passes if passes.training else None


def live_of(newest_first: Iterable[Record]) -> Live:
    """Return the newest figures of a log, read backwards and no further than they take.

    Those of the held-out examples follow on the steps of their epoch; so the search for them ends
    where an epoch begins.
    """
    latest: Record = {}
    validation: Record = {}
    rates: list[float] = []
    for record in islice(newest_first, _FAR):
        if "validation" in record:
            validation = validation or record
        elif "loss" in record:
            if latest and record.get("epoch") != latest.get("epoch"):
                break
            latest = latest or record
            rates += filter(None, [_number(record.get("images_per_second"))])
        if latest and validation:
            break
    return Live(
        epoch=_whole(latest.get("epoch")) or _whole(validation.get("epoch")),
        step=_whole(latest.get("step")) or _whole(validation.get("step")),
        steps=_whole(latest.get("steps")),
        rate=_number(latest.get("images_per_second")) or None,
        mean_rate=harmonic_mean(rates) if rates and min(rates) > 0 else None,
        loss=_numbers(latest.get("loss")),
        weight=_numbers(latest.get("weight")),
        validation=_numbers(validation.get("validation")),
        clamped_to=_number(latest.get("r_effective")) if latest.get("clamped") is True else None,
    )


def _named(planned: Mapping[str, Any], where: str) -> Record:
    label, seed = planned.get("label"), _whole(planned.get("seed"))
    if not isinstance(label, str):
        return _by_folder(printable(where))
    return {"label": printable(label), "seed": seed}


def _own_name(planned: Mapping[str, Any], record: RunRecord) -> Record:
    """Return what a run calls itself where the plan calls it otherwise, and how; else nothing."""
    stated: Record = {key: getattr(record, key) for key in ("label", "seed") if key in planned}
    unlike = [
        f"{key} {planned[key]!r}, and its run.json {value!r}"
        for key, value in stated.items()
        if planned[key] != value
    ]
    if not unlike:
        return {}
    return {"unlike": printable("; ".join(unlike)), **_named({**planned, **stated}, "")}


def _by_folder(where: str) -> Record:
    return {"label": where, "seed": None}


def _whole(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
    return value if known else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None  # NaN is not, either


def _numbers(table: Any) -> dict[str, float | None]:
    return {name: _number(value) for name, value in _table_of(table).items()}


def _table_of(value: Any) -> Record:
    """Return the value if it is a table, an empty one else."""
    return value if isinstance(value, dict) else {}
