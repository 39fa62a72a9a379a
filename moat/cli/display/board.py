"""Several runs at a time: the table of `moat watch`, from the workers' messages."""

import time
from dataclasses import replace
from pathlib import Path

from rich.console import Group
from rich.text import Text

from moat.cli.clock import StudyClock
from moat.cli.console import console
from moat.cli.display.figures import newer
from moat.events import (
    EvaluationStep,
    Event,
    LogEntry,
    NamedRunEvent,
    RunEnd,
    RunEvent,
    RunFailure,
    RunHold,
    RunSkip,
    RunStart,
    StudyStart,
    TrainingStep,
    WorkerLoss,
)
from moat.printable import printable
from moat.report.status.run_status import RunStatus, State
from moat.report.status.study_status import StudyStatus
from moat.report.status.table import status_table

STATES = {
    RunStart: State.running,
    RunSkip: State.done,
    RunEnd: State.done,
    RunFailure: State.failed,
    RunHold: State.waiting,
    WorkerLoss: State.interrupted,
}
"""The state of a run after an event."""


class Board:
    """The states of a study's runs, and the newest figures of those at work."""

    def __init__(self) -> None:
        self.clock = StudyClock()
        self.study, self.runs = "", dict[Path, RunStatus]()
        self.pace: dict[Path, tuple[float, int]] = {}  # when a run's first step was heard, which

    @property
    def names(self) -> dict[Path, str]:
        """The names of the runs that have begun, by their folders."""
        return {path: run.name for path, run in self.runs.items() if run.label}

    @property
    def view(self) -> Group:
        """The counts, the runs at work with their figures, and the time of the whole."""
        study = StudyStatus(self.study, tuple(self.runs.values()))
        starting = "The workers are starting."
        table = status_table([study], console.width, idle=starting, left=False)
        return Group(table, Text(self.clock.line, style="dim"))

    def __call__(self, event: Event) -> None:
        """Keep what an event tells of a run."""
        match event:
            case StudyStart(folder=Path() as folder):
                self.study = folder.name
                self.clock.follow(folder, event.planned)
                self.runs = {run: _unnamed(run) for run in event.planned}
            case RunEvent(run=run):
                self.runs[run] = self._after(event, self.runs.get(run, _unnamed(run)))

    def _after(self, event: RunEvent, run: RunStatus) -> RunStatus:
        match event:
            case NamedRunEvent():
                self.pace.pop(event.run, None)
                why = printable(event.message) if isinstance(event, RunFailure) else ""
                state = STATES.get(type(event), run.state)
                return replace(
                    run, label=event.label, seed=event.seed, state=state, why=why, judged=0.0
                )
            case TrainingStep():
                return self._step(event, run)
            case LogEntry(record=record):
                return replace(run, live=newer(run.live, record))
            case EvaluationStep():
                judged = event.done / event.of if event.of else 0.0
                return replace(run, state=State.evaluating, judged=judged)
        return run

    def _step(self, event: TrainingStep, run: RunStatus) -> RunStatus:
        began, first = self.pace.setdefault(event.run, (time.monotonic(), event.step))
        made = event.step - first
        seconds = (time.monotonic() - began) * event.steps / made if made else None
        live = replace(run.live, epoch=event.epoch, step=event.step, steps=event.steps)
        return replace(
            run,
            state=State.running,
            epochs=event.epochs,
            live=live,
            trained=live.share,
            seconds=seconds,
        )


def _unnamed(run: Path) -> RunStatus:
    return RunStatus(where=str(run), label="", seed=None, state=State.waiting)
