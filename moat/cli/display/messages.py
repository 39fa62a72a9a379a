"""Lines that stay above what a terminal shows live."""

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


def message(event: Event, names: dict[Path, str]) -> str | None:
    """Return what stays on the screen of an event, in rich's markup; None of most.

    `names` are the runs at work by their folders, where there are several.
    """
    match event:
        case DataNote(text=text) if text:
            return "data: " + escape(text)
        case StudyNote(text=text):
            return "[bold]note[/] " + escape(text)
        case Note(run=run, text=text):
            return "[bold]note[/] " + escape(f"{names[run]}: {text}" if run in names else text)
        case Overwrite():
            return "[bold]overwriting[/] " + escape(f"{event.folder}: {event.what}")
        case RunEnd():
            line = escape(scores_line(event.scores))
            return f"[bold]{escape(event.label)}[/], seed {event.seed}: {line}"
        case RunHold():
            line = f"{event.label}, seed {event.seed}: {event.message}"
            return "[bold]put aside[/] " + escape(line)
        case WorkerLoss():
            return f"[bold]{escape(event.label)}[/], seed {event.seed}: {escape(event.text)}"
        case RunFailure():
            line = escape(event.message)
            return f"[bold red]failed[/] {escape(event.label)}, seed {event.seed}: {line}"
    return None
