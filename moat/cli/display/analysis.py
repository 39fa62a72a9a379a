"""The progress of an analysis: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from moat.cli.console import console
from moat.cli.display.lines import SILENCE
from moat.cli.lines import say
from moat.events import AnalysisStep, DataNote, Event, Listener


class AnalysisLines:
    """A line about an analysis at most every ten seconds, for logs and pipes."""

    def __init__(self) -> None:
        self.began = self.said = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print what an event tells, if that is worth a line."""
        match event:
            case DataNote(text=text) if text:
                say(f"data: {text}")
            case AnalysisStep(done=done, of=of) if 0 < done < of:
                now = time.monotonic()
                if now - self.said >= SILENCE:
                    self.said = now
                    left = (now - self.began) * (of / done - 1)
                    say(f"{event.kind} {done / of:.0%}; about {left:.0f} s left")


@contextmanager
def analysis_listener() -> Iterator[Listener]:
    """Yield a listener that shows an analysis: on a terminal as a bar, else in plain lines."""
    if not sys.stdout.isatty():
        yield AnalysisLines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def listen(event: Event) -> None:
            match event:
                case DataNote(text=text) if text:
                    console.print(f"data: {text}", highlight=False, markup=False)
                case AnalysisStep(kind=kind, done=done, of=of):
                    progress.update(task, description=kind, completed=done, total=of)

        yield listen
