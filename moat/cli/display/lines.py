"""Lines for logs and pipes: at the begin and end of a run, and now and then between."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moat.cli.clock import StudyClock, left_text
from moat.cli.display.figures import STRONGEST, figures_line, memory_line, scores_line, searched
from moat.cli.lines import say
from moat.events import (
    DataNote,
    EvaluationStep,
    Event,
    LogEntry,
    NamedRunEvent,
    Note,
    Overwrite,
    RunEnd,
    RunEvent,
    RunFailure,
    RunHold,
    RunSkip,
    RunStart,
    StudyNote,
    StudyStart,
    TrainingStep,
    WorkerLoss,
)

SILENCE = 10.0  # seconds between two lines about the same run, outside a terminal


@dataclass
class _Run:
    """The newest figures of a run, and the time of the last line about it."""

    lead: str = "  "  # what its lines begin with: its name, where others are at work beside it
    said: float = field(default_factory=lambda: time.monotonic())
    latest: dict[str, Any] = field(default_factory=dict)
    evaluation_began: float = 0.0
    pass_size: int = 0
    memory: int = 0  # bytes of an evaluation that were said


class PlainLines:
    """Prints what a study tells; with several runs at work each line names its run."""

    def __init__(self) -> None:
        self.runs, self.jobs = 0, 1
        self.numbers: dict[Path, int] = {}  # a run that is asked for again keeps its own
        self.clock = StudyClock()
        self.of: dict[Path, _Run] = {}

    def __call__(self, event: Event) -> None:
        """Print what an event tells, if that is worth a line."""
        match event:
            case StudyStart():
                self.runs, self.jobs = event.runs, event.jobs
                self.numbers.clear()  # of the study before: a race trains one for each look
                if event.folder is not None:
                    self.clock.follow(event.folder, event.planned)
            case StudyNote(text=text):
                self._say(text)
            case DataNote(text=text) if text:
                self._say(f"  data: {text}")
            case Overwrite():
                self._say(f"  overwriting {event.folder}: {event.what}")
            case NamedRunEvent():
                self._turn(event)
            case RunEvent():
                self._news(event, self._of(event.run))

    def _turn(self, event: NamedRunEvent) -> None:
        """Say that a run begins or ends."""
        name, lead = f"{event.label}, seed {event.seed}", self._of(event.run).lead
        match event:
            case RunStart():
                self.of[event.run] = _Run(f"  {name}: " if self.jobs > 1 else "  ")
                left = self.clock.left
                self._count(event, f"{event.run}{'' if left is None else _in_all(left)}")
            case RunSkip():
                self._count(event, "already finished")
            case RunEnd():
                self._say(f"{lead}done: {scores_line(event.scores)}")
            case RunHold():
                self._say(f"  put aside {name}: {event.message}")
            case WorkerLoss():
                self._say(f"{lead}{event.text}")
            case RunFailure():
                self._say(f"  FAILED {name}: {event.message}")

    def _news(self, event: RunEvent, run: _Run) -> None:
        """Say how far a run is, not too often."""
        match event:
            case Note():
                self._say(f"{run.lead}{event.text}", run)
            case LogEntry():  # all figures are in the run's log
                run.latest |= event.record
            case TrainingStep() if event.step * event.epochs == event.epoch * event.steps:
                if time.monotonic() - run.said >= SILENCE:
                    epoch = f"{run.lead}epoch {event.epoch}/{event.epochs}"
                    self._say(": ".join(filter(None, [epoch, _told(run)])), run)
            case EvaluationStep():
                self._evaluation(event, run)

    def _evaluation(self, event: EvaluationStep, run: _Run) -> None:
        """Say how far the evaluation is, and what it will take yet."""
        if not event.done:
            run.evaluation_began = time.monotonic()
            if event.memory > run.memory:  # of the held-out examples it is seldom more
                run.memory = event.memory
                self._say(f"{run.lead}evaluation: {memory_line(event)}", run)
        elif 0 < event.pass_size < run.pass_size:
            short = f"too little memory for passes of {run.pass_size}"
            self._say(f"{run.lead}evaluation: {short}; {memory_line(event)}", run)
        run.pass_size = event.pass_size or run.pass_size
        if not event.done or time.monotonic() - run.said < SILENCE:
            return
        share = event.done / event.of
        left = (time.monotonic() - run.evaluation_began) * (1 / share - 1)
        self._say(
            f"{run.lead}evaluation {share:.0%}: {searched(event)}, batch {event.batch}/"
            f"{event.batches}; {STRONGEST} {figures_line(event.accuracy)}; about {left:.0f} s left",
            run,
        )

    def _of(self, run: Path) -> _Run:
        return self.of.setdefault(run, _Run())

    def _count(self, event: NamedRunEvent, text: str) -> None:
        number = self.numbers.setdefault(event.run, len(self.numbers) + 1)
        self._say(f"[{number}/{self.runs}] {event.label}, seed {event.seed}: {text}")

    def _say(self, line: str, run: _Run | None = None) -> None:
        if run is not None:
            run.said = time.monotonic()
        say(line)


def _in_all(left: float) -> str:
    return f"; {left_text(left)} in total"


def _told(run: _Run) -> str:
    figures = {
        "loss": figures_line(run.latest.get("loss", {})),
        "held-out accuracy": figures_line(run.latest.get("validation", {})),
    }
    return "; ".join(f"{name} {values}" for name, values in figures.items() if values)
