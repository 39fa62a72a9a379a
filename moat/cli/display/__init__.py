"""Progress of a study: live figures for a terminal, plain lines for anything else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.live import Live

from moat.cli.console import console
from moat.cli.display.figures import scores_line
from moat.cli.display.lines import PlainLines
from moat.cli.display.repeats import with_each_failure_once
from moat.cli.display.screen import Screen
from moat.events import Listener

__all__ = [
    "PlainLines",
    "Screen",
    "listener_for_terminal",
    "scores_line",
    "with_each_failure_once",
]


@contextmanager
def listener_for_terminal() -> Iterator[Listener]:
    """Yield a listener that shows what it hears: on a terminal live, else in plain lines."""
    if not sys.stdout.isatty():
        yield PlainLines()
        return
    screen = Screen()
    with Live(
        screen.view, console=console, refresh_per_second=4, get_renderable=lambda: screen.view
    ):
        yield screen
