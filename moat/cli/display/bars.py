"""One run at a time: bars for the runs, the steps and the evaluation."""

from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from moat.cli.clock import LeftColumn, StudyClock
from moat.cli.console import console
from moat.cli.display.figures import figures_line, newer, searched
from moat.evaluation.room import gib
from moat.events import (
    EvaluationStart,
    EvaluationStep,
    Event,
    LogEntry,
    RunEnd,
    RunFailure,
    RunSkip,
    RunStart,
    StudyStart,
    TrainingStep,
)
from moat.report.status.figures import figures_table
from moat.report.status.run_status import Live


class Bars:
    """The bars of a study, and the newest figures of its run."""

    def __init__(self) -> None:
        self.clock, self.left = StudyClock(), LeftColumn()
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            self.left,
        )
        self.runs = self.progress.add_task("runs", total=None, note="")
        self.steps = self.progress.add_task("steps", total=None, note="", visible=False)
        self.examples = self.progress.add_task("evaluation", total=None, note="", visible=False)
        self.latest = Live()
        self.rate = ""

    @property
    def view(self) -> Group:
        """The live losses and weights above the bars, below them the time of the whole."""
        table = figures_table(self.latest, console.width)
        clock = Text(self.clock.line, style="dim")
        return Group(table, self.progress, clock) if table else Group(self.progress, clock)

    def __call__(self, event: Event) -> None:
        """Move the bars."""
        match event:
            case StudyStart():
                self.progress.update(self.runs, total=event.runs)
                if event.folder is not None:
                    self.clock.follow(event.folder, event.planned)
            case RunStart():
                self._begin(f"{event.label}, seed {event.seed}")
            case TrainingStep():
                self._step(event)
            case LogEntry(record=record):
                self.latest = newer(self.latest, record)
                if "images_per_second" in record:
                    self.rate = f", {record['images_per_second']:.0f} images/s"
            case EvaluationStart():
                if self.runs not in self.left.first:
                    self.left.begin(self.runs, event.before)
                self.progress.update(self.runs, completed=event.before, note=str(event.run))
                self.progress.reset(self.examples, total=None)
            case EvaluationStep():
                self._evaluation(event)
            case RunSkip() | RunEnd() | RunFailure():
                self.progress.advance(self.runs)

    def _begin(self, name: str) -> None:
        """Start the run's own bars."""
        self.latest, self.rate = Live(), ""
        self.progress.update(self.runs, note=name)
        self.progress.reset(self.steps, total=None, visible=True)
        self.left.first.pop(self.steps, None)
        self.progress.reset(self.examples, total=None, visible=False)

    def _step(self, event: TrainingStep) -> None:
        """Move the run's bar."""
        note = f"epoch {event.epoch}/{event.epochs}{self.rate}"
        if event.step <= 1 or self.steps not in self.left.first:  # it may go on where it was
            self.left.begin(self.steps, event.step)
        self.progress.update(self.steps, completed=event.step, total=event.steps, note=note)

    def _evaluation(self, event: EvaluationStep) -> None:
        """Move the bar of the evaluation; show the threat and the accuracies so far."""
        note = f"{searched(event)}, batch {event.batch}/{event.batches}"
        note += f", up to {gib(event.memory)}" if event.memory else ""
        note += (
            f"  at the largest strength: {figures_line(event.accuracy)}" if event.accuracy else ""
        )
        done, total = round(event.done), round(event.of)
        if not event.done or self.examples not in self.left.first:
            self.left.begin(self.examples, done)
        self.progress.update(self.examples, completed=done, total=total, note=note, visible=True)
