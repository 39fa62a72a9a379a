"""Progress, live losses and weights for a terminal; plain lines for anything else."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from moat.cli.clock import LeftColumn, StudyClock, left_text
from moat.cli.console import console as console
from moat.data import Data
from moat.errors import BusyError, MoatError
from moat.evaluation import EvaluationProgress
from moat.evaluation.room import gib
from moat.recipe import RunPlan
from moat.study import StudyListener

SILENCE = 10.0  # seconds between two lines about the same run, outside a terminal


@contextmanager
def listener_for_terminal() -> Iterator[StudyListener]:
    """Yield bars for a terminal, plain lines for anything else."""
    if not sys.stdout.isatty():
        yield PlainLines()
        return
    bars = Bars()
    with Live(bars.view, console=console, refresh_per_second=4, get_renderable=lambda: bars.view):
        yield bars


class PlainLines(StudyListener):
    """A line when a run begins or ends, and now and then between: for logs and pipes."""

    def __init__(self) -> None:
        self.runs = self.begun = 0
        self.clock = StudyClock()
        self.said = self.evaluation_began = time.monotonic()
        self.latest: dict[str, Any] = {}
        self.pass_size = 0

    def study_started(self, runs: int) -> None:
        """Remember how many there are."""
        self.runs = runs

    def announced(self, folder: Path, runs: Sequence[Path]) -> None:
        """Tell the time by the study's own files."""
        self.clock.follow(folder, runs)

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """Name the run and its folder."""
        self.begun += 1
        self.latest = {}
        left = self.clock.left
        told = "" if left is None else f"; {left_text(left)} in all"
        self._say(f"[{self.begun}/{self.runs}] {plan.label}, seed {plan.seed}: {folder}{told}")

    def data_read(self, data: Data) -> None:
        """Say what of the data was left out, and how classes are numbered."""
        if data.note:
            self._say(f"  data: {data.note}")

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """Say that it was finished before."""
        self.begun += 1
        self._say(f"[{self.begun}/{self.runs}] {plan.label}, seed {plan.seed}: finished before")

    def overwriting(self, folder: Path, what: str) -> None:
        """Say what is lost, before it is."""
        self._say(f"  overwriting {folder}: {what}")

    def noted(self, line: str) -> None:
        """Say what is done otherwise than was asked for."""
        self._say(f"  {line}")

    def logged(self, record: dict[str, Any]) -> None:
        """Remember the newest losses and held-out accuracies; all of them are in the run's log."""
        self.latest = {**self.latest, **record}

    def stepped(self, epoch: int, epochs: int, step: int, steps: int) -> None:
        """Say how far the run is, at the end of an epoch and not too often."""
        if step * epochs != epoch * steps or time.monotonic() - self.said < SILENCE:
            return
        figures = {
            "loss": _figures(self.latest.get("loss", {})),
            "held-out accuracy": _figures(self.latest.get("validation", {})),
        }
        told = "; ".join(f"{name} {values}" for name, values in figures.items() if values)
        self._say(f"  epoch {epoch}/{epochs}: {told}")

    def evaluated(self, progress: EvaluationProgress) -> None:
        """Say how far the evaluation is, not too often, and what it will take yet."""
        if not progress.done:
            self.evaluation_began = time.monotonic()
            if progress.memory:
                self._say(f"  evaluation: {_memory(progress)}")
        elif 0 < progress.pass_size < self.pass_size:
            self._say(
                f"  evaluation: no memory for passes of {self.pass_size}; {_memory(progress)}"
            )
        self.pass_size = progress.pass_size or self.pass_size
        if not progress.done or time.monotonic() - self.said < SILENCE:
            return
        share = progress.done / progress.of
        left = (time.monotonic() - self.evaluation_began) * (1 / share - 1)
        self._say(
            f"  evaluation {share:.0%}: {progress.threat}, batch {progress.batch}/"
            f"{progress.batches}; accuracy {_figures(progress.accuracy)}; about {left:.0f} s left"
        )

    def validated(self, progress: EvaluationProgress) -> None:
        """Say the same of the held-out examples."""
        self.evaluated(_held_out(progress))

    def run_done(self, plan: RunPlan, scores: dict[str, Any]) -> None:
        """Print the scores."""
        self._say(f"  done: {scores_line(scores)}")

    def run_held(self, plan: RunPlan, error: BusyError) -> None:
        """Say who holds it."""
        self._say(f"  put aside {plan.label}, seed {plan.seed}: {error.message}")

    def run_failed(self, plan: RunPlan, error: MoatError) -> None:
        """Print the error's first line; the whole of it comes at the end."""
        self._say(f"  FAILED {plan.label}: {error.message}")

    def _say(self, line: str) -> None:
        self.said = time.monotonic()
        print(line, flush=True)


class Bars(StudyListener):
    """A bar for the runs, one for the steps of this run, one for its evaluation, and its log."""

    def __init__(self) -> None:
        self.clock, self.left = StudyClock(), LeftColumn()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            self.left,
        )
        self.progress = Progress(*columns, console=console)
        self.runs = self.progress.add_task("runs", total=None, note="")
        self.steps = self.progress.add_task("steps", total=None, note="", visible=False)
        self.examples = self.progress.add_task("evaluation", total=None, note="", visible=False)
        self.latest: dict[str, Any] = {}
        self.rate = ""

    @property
    def view(self) -> Group:
        """The live losses and weights above the bars, below them the time of the whole."""
        return Group(_live_table(self.latest), self.progress, Text(self.clock.line, style="dim"))

    def study_started(self, runs: int) -> None:
        """Set the length of the first bar."""
        self.progress.update(self.runs, total=runs)

    def announced(self, folder: Path, runs: Sequence[Path]) -> None:
        """Tell the time by the study's own files."""
        self.clock.follow(folder, runs)

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """Start the run's own bars."""
        self.latest, self.rate = {}, ""
        self.progress.update(self.runs, note=f"{plan.label}, seed {plan.seed}")
        self.progress.reset(self.steps, total=None, visible=True)
        self.left.first.pop(self.steps, None)
        self.progress.reset(self.examples, total=None, visible=False)

    def data_read(self, data: Data) -> None:
        """Leave its note above the bars."""
        if data.note:
            self._say("data: ", data.note)

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """Count it."""
        self.progress.advance(self.runs)

    def overwriting(self, folder: Path, what: str) -> None:
        """Leave a line above the bars."""
        self._say("[bold]overwriting[/] ", f"{folder}: {what}")

    def stepped(self, epoch: int, epochs: int, step: int, steps: int) -> None:
        """Move the run's bar."""
        note = f"epoch {epoch}/{epochs}{self.rate}"
        if step <= 1 or self.steps not in self.left.first:  # it may go on where it was
            self.left.begin(self.steps, step)
        self.progress.update(self.steps, completed=step, total=steps, note=note)

    def noted(self, line: str) -> None:
        """Leave a line above the bars."""
        self._say("[bold]note[/] ", line)

    def logged(self, record: dict[str, Any]) -> None:
        """Show the newest losses, weights and held-out accuracies."""
        self.latest = {**self.latest, **record}
        if "images_per_second" in record:
            self.rate = f", {record['images_per_second']:.0f} images/s"

    def evaluation_started(self, folder: Path, before: int) -> None:
        """Name the folder, and start the bar of its evaluation."""
        if self.runs not in self.left.first:
            self.left.begin(self.runs, before)
        self.progress.update(self.runs, completed=before, note=str(folder))
        self.progress.reset(self.examples, total=None)

    def evaluated(self, progress: EvaluationProgress) -> None:
        """Move the bar of the evaluation, and say who is searched and what stands so far."""
        note = f"{progress.threat}, batch {progress.batch}/{progress.batches}"
        note += f", up to {gib(progress.memory)}" if progress.memory else ""
        note += f"  {_figures(progress.accuracy)}" if progress.accuracy else ""
        done, total = round(progress.done), round(progress.of)
        if not progress.done or self.examples not in self.left.first:
            self.left.begin(self.examples, done)
        self.progress.update(self.examples, completed=done, total=total, note=note, visible=True)

    def validated(self, progress: EvaluationProgress) -> None:
        """Move the same bar once more, over the held-out examples."""
        self.evaluated(_held_out(progress))

    def run_done(self, plan: RunPlan, scores: dict[str, Any]) -> None:
        """Leave a line above the bars."""
        self.progress.advance(self.runs)
        self._say(f"[bold]{escape(plan.label)}[/], seed {plan.seed}: ", scores_line(scores))

    def run_held(self, plan: RunPlan, error: BusyError) -> None:
        """Leave a line above the bars."""
        self._say("[bold]put aside[/] ", f"{plan.label}, seed {plan.seed}: {error.message}")

    def run_failed(self, plan: RunPlan, error: MoatError) -> None:
        """Leave a line above the bars."""
        self.progress.advance(self.runs)
        self._say(f"[bold red]failed[/] {escape(plan.label)}, seed {plan.seed}: ", error.message)

    def _say(self, head: str, text: str) -> None:
        self.progress.console.print(head + escape(text), highlight=False)


def _memory(progress: EvaluationProgress) -> str:
    """Say what memory an evaluation takes."""
    size = f"passes of {progress.pass_size}"
    return f"up to {gib(progress.memory)} beside network and data, {size}"


def _held_out(progress: EvaluationProgress) -> EvaluationProgress:
    return replace(progress, threat=f"held out: {progress.threat}")


def _live_table(record: dict[str, Any]) -> Table:
    """Show a column an objective: its loss, its weight, its held-out accuracy."""
    rows = {
        "loss": record.get("loss", {}),
        "weight": record.get("weight", {}),
        "held-out accuracy %": record.get("validation", {}),
    }
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(box=None, show_header=bool(names))
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right")
    for title, row in rows.items():
        if row:
            table.add_row(title, *(_figure(row.get(name)) for name in names))
    if record.get("clamped"):
        table.caption = f"r clamped to {record['r_effective']:.3f}"
    return table


def _figures(values: Mapping[str, float | None]) -> str:
    return " ".join(f"{n} {_figure(value)}" for n, value in values.items() if value is not None)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def scores_line(scores: dict[str, Any]) -> str:
    """Return the scores of a run in one line, in percent."""
    named = {"natural": scores["natural"], **scores["scores"], "union": scores["union"]}
    return "  ".join(
        f"{name} {'-' if score is None else format(score, '.1f')}" for name, score in named.items()
    )
