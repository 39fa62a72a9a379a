"""The events of a study: small frozen records of plain values, for a listener to match.

A listener is a function of one event. Every event can be pickled, and so sent between processes.

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
    """The base of every event."""


Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Do nothing: the default listener."""


def each(*listeners: Listener) -> Listener:
    """Return a listener that passes an event to several listeners, one after the other."""

    def listen(event: Event) -> None:
        for one in listeners:
            one(event)

    return listen


def without_repeats(listener: Listener) -> Listener:
    """Return a listener that passes on a note once, for however many runs it is sent.

    A run's hold is passed on once, too.
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
    """A study or an evaluation of several runs begins; the count includes earlier runs.

    `folder` is the study's, if it is one, and from now on lists the runs `planned`; `jobs` of them
    run at once.
    """

    runs: int
    folder: Path | None = None
    planned: tuple[Path, ...] = ()
    jobs: int = 1


@dataclass(frozen=True, kw_only=True)
class DataNote(Event):
    """A data set was read; its note names the files left out, and is often empty."""

    text: str


@dataclass(frozen=True, kw_only=True)
class StudyNote(Event):
    """A note for the user about the whole study."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Overwrite(Event):
    """Content of a folder is about to be overwritten, as requested."""

    folder: Path
    what: str


@dataclass(frozen=True, kw_only=True)
class RunEvent(Event):
    """The base of every event of a run: the run's folder."""

    run: Path


@dataclass(frozen=True, kw_only=True)
class NamedRunEvent(RunEvent):
    """An event of a run with its names: the label, made of variant and sweep, and the seed."""

    label: str
    variant: str
    sweep: dict[str, Any]
    seed: int


@dataclass(frozen=True, kw_only=True)
class RunStart(NamedRunEvent):
    """A run begins or resumes."""


@dataclass(frozen=True, kw_only=True)
class RunSkip(NamedRunEvent):
    """A run is skipped, since it is finished."""


@dataclass(frozen=True, kw_only=True)
class RunEnd(NamedRunEvent):
    """A run is finished, with its scores in percent."""

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
        """The reported error, built anew from the nearest of moat's classes."""
        kind = getattr(errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, MoatError)):
            kind = TrainingError if self.exit_code == TrainingError.exit_code else MoatError
        return kind(self.message, self.where, self.hint)


@dataclass(frozen=True, kw_only=True)
class RunFailure(_Trouble):
    """A run failed; the others continue."""


@dataclass(frozen=True, kw_only=True)
class RunHold(_Trouble):
    """Another process holds a run; it is postponed, and tried once more at the end."""


@dataclass(frozen=True, kw_only=True)
class WorkerLoss(NamedRunEvent):
    """The worker process of a run died; another one continues the run."""

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
    """A deviation from the request, reported for the first run that it affects."""

    text: str


@dataclass(frozen=True, kw_only=True)
class EvaluationStart(RunEvent):
    """The evaluation of a finished model begins; the count is of the models before it."""

    before: int


@dataclass(frozen=True, kw_only=True)
class EvaluationStep(RunEvent):
    """A threat begins or ends on a batch of examples; the event counts the passes, done and in all.

    `held_out` says that the examples are those held out from training. `memory` is the maximum of
    the evaluation's own bytes, in passes of `pass_size` images.
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


@dataclass(frozen=True, kw_only=True)
class AnalysisStep(Event):
    """A part of an analysis is done; the event counts the passes, done and in all."""

    kind: str
    done: float
    of: float
