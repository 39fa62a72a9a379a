"""The events of a study: small frozen records of plain values, for a listener to match.

A listener is a function of one event. Every event can be pickled, so that it crosses a process.

Example:
    >>> from pathlib import Path
    >>> def listen(event: Event) -> None:
    ...     match event:
    ...         case RunEnd(label=label, scores=scores):
    ...             print(label, scores["natural"])
    >>> run = RunEnd(run=Path("results/r/pgd-at/seed-0"), label="pgd-at", variant="pgd-at",
    ...              sweep={}, seed=0, scores={"natural": 97.0})
    >>> listen(run)
    pgd-at 97.0
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from moat import errors
from moat.errors import MoatError, TrainingError


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event is."""


Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Do nothing: the listener where none is named."""


def each(*listeners: Listener) -> Listener:
    """Return a listener that passes an event to several, one after the other."""

    def listen(event: Event) -> None:
        for one in listeners:
            one(event)

    return listen


def without_repeats(listener: Listener) -> Listener:
    """Return a listener that passes a note on once, however many runs it is told of.

    And once that a run is held, however often it is asked for.
    """
    told: set[str | Path] = set()

    def listen(event: Event) -> None:
        if isinstance(event, Note | StudyNote | RunHold):
            said = event.run if isinstance(event, RunHold) else event.text
            if said in told:
                return
            told.add(said)
        listener(event)

    return listen


@dataclass(frozen=True, kw_only=True)
class StudyStart(Event):
    """A study begins, or an evaluation of several runs: so many runs, those done before included.

    `folder` is the study's, where it is one, and says from now on that `planned` are its runs;
    `jobs` of them are at work at once.
    """

    runs: int
    folder: Path | None = None
    planned: tuple[Path, ...] = ()
    jobs: int = 1


@dataclass(frozen=True, kw_only=True)
class DataNote(Event):
    """A data set was read; its note says what of it was not, and is often empty."""

    text: str


@dataclass(frozen=True, kw_only=True)
class StudyNote(Event):
    """Something of the whole study that its user should know."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Overwrite(Event):
    """What stands in a folder is about to be overwritten, as was asked for."""

    folder: Path
    what: str


@dataclass(frozen=True, kw_only=True)
class RunEvent(Event):
    """What every event of a run has: the run's folder."""

    run: Path


@dataclass(frozen=True, kw_only=True)
class NamedRunEvent(RunEvent):
    """And what a run is called: its label, which is made of its variant and sweep, and its seed."""

    label: str
    variant: str
    sweep: dict[str, Any]
    seed: int


@dataclass(frozen=True, kw_only=True)
class RunStart(NamedRunEvent):
    """A run begins, or goes on where it was."""


@dataclass(frozen=True, kw_only=True)
class RunSkip(NamedRunEvent):
    """A run was finished before."""


@dataclass(frozen=True, kw_only=True)
class RunEnd(NamedRunEvent):
    """A run is finished, and these are its scores, in percent."""

    scores: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Trouble(NamedRunEvent):
    """An error, as plain text."""

    message: str
    where: str = ""
    hint: str = ""
    kind: str = "TrainingError"
    exit_code: int = 1

    @property
    def error(self) -> MoatError:
        """The error that this tells, made anew: of moat's own classes, the nearest."""
        kind = getattr(errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, MoatError)):
            kind = TrainingError if self.exit_code == TrainingError.exit_code else MoatError
        return kind(self.message, self.where, self.hint)


@dataclass(frozen=True, kw_only=True)
class RunFailure(_Trouble):
    """A run failed; the others go on."""


@dataclass(frozen=True, kw_only=True)
class RunHold(_Trouble):
    """Another process holds a run; it is put aside, and asked for once more at the end."""


@dataclass(frozen=True, kw_only=True)
class WorkerLoss(NamedRunEvent):
    """The worker process of a run died; another one goes on with the run."""

    text: str


@dataclass(frozen=True, kw_only=True)
class TrainingStep(RunEvent):
    """A training step is done: `step` of `steps` in the whole run, in `epoch` of `epochs`."""

    epoch: int
    epochs: int
    step: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class LogEntry(RunEvent):
    """A line was written to the run's log: losses, weights, rates, or an epoch's validation."""

    record: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Note(RunEvent):
    """Something is done otherwise than was asked for; said of the first run that it befalls."""

    text: str


@dataclass(frozen=True, kw_only=True)
class EvaluationStart(RunEvent):
    """A finished model begins to be evaluated, so many others having been before it."""

    before: int


@dataclass(frozen=True, kw_only=True)
class EvaluationStep(RunEvent):
    """A threat begins on a batch of examples, or ends; so many passes are done, of so many.

    `held_out` says that the examples are those held out from training. `memory` is how many bytes
    the evaluation takes at most of its own, in passes of `pass_size` images.
    """

    done: float
    of: float
    threat: str
    batch: int
    batches: int
    accuracy: dict[str, float] = field(default_factory=dict)  # percent of the examples so far
    memory: int = 0
    pass_size: int = 0
    held_out: bool = False
