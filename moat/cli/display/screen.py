"""The live display of a terminal: bars for one run at a time, a table for several."""

from pathlib import Path

from rich.console import Group

from moat.cli.console import console
from moat.cli.display.bars import Bars
from moat.cli.display.board import Board
from moat.cli.display.messages import message
from moat.events import Event, StudyStart


class Screen:
    """The live part of the screen, and the lines that stay above it."""

    def __init__(self) -> None:
        self.shown: Bars | Board = Bars()

    @property
    def view(self) -> Group:
        """The current content of the screen."""
        return self.shown.view

    def __call__(self, event: Event) -> None:
        """Show what an event tells."""
        if isinstance(event, StudyStart) and event.jobs > 1:
            self.shown = Board()
        self.shown(event)
        names: dict[Path, str] = self.shown.names if isinstance(self.shown, Board) else {}
        if line := message(event, names):
            console.print(line, highlight=False)
