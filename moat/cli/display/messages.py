"""Lines above the live display of a terminal."""

from pathlib import Path

from rich.markup import escape

from moat.cli.display.figures import scores_line
from moat.events import (
    DataNote,
    Event,
    Note,
    Overwrite,
    RunEnd,
    RunFailure,
    RunHold,
    StudyNote,
    WorkerLoss,
)
from moat.printable import printable


def message(event: Event, names: dict[Path, str]) -> str | None:
    """Return what stays on the screen of an event, in rich's markup; None of most.

    `names` are the runs at work by their folders, where there are several.
    """
    match event:
        case DataNote(text=text) if text:
            return "data: " + _shown(text)
        case StudyNote(text=text):
            return "[bold]note[/] " + _shown(text)
        case Note(run=run, text=text):
            return "[bold]note[/] " + _shown(f"{names[run]}: {text}" if run in names else text)
        case Overwrite():
            return "[bold]overwriting[/] " + _shown(f"{event.folder}: {event.what}")
        case RunEnd():
            line = _shown(scores_line(event.scores))
            return f"[bold]{_shown(event.label)}[/], seed {event.seed}: {line}"
        case RunHold():
            line = f"{event.label}, seed {event.seed}: {event.message}"
            return "[bold]put aside[/] " + _shown(line)
        case WorkerLoss():
            return f"[bold]{_shown(event.label)}[/], seed {event.seed}: {_shown(event.text)}"
        case RunFailure():
            line = _shown(event.message)
            return f"[bold red]failed[/] {_shown(event.label)}, seed {event.seed}: {line}"
    return None


def _shown(text: str) -> str:
    return escape(printable(text, lines=True))
