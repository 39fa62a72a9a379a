"""Follow running studies by their files."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moat.cli.lines import say
from moat.cli.options import seconds

if TYPE_CHECKING:
    from moat.report import StatusReader, StudyStatus


def watch(
    results: Annotated[Path, typer.Argument(help="A study's folder, or one with several.")],
    every: Annotated[
        float,
        typer.Option(
            parser=seconds, metavar="SECONDS", help="Seconds between two looks at the files."
        ),
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Show the state once and exit.")] = False,
) -> None:
    """Follow running studies, on any machine, until every run is done or has failed.

    Reads files only. A terminal shows the current state; other outputs get it once, then
    a line for each change. Ctrl-C stops only the watching. Exit code 1: a run failed.
    """
    try:
        from moat.report import StatusReader
        from moat.runs import is_bundle, opened

        once = once or is_bundle(results)  # where nothing goes on
        reader = StatusReader(opened(results))
        if once:
            studies = _shown(reader.read())
        elif sys.stdout.isatty():
            studies = _live(reader, every)
        else:
            studies = _lines(reader, every)
    except KeyboardInterrupt:
        return
    if any(study.failed for study in studies):
        raise typer.Exit(1)


def _shown(studies: "list[StudyStatus]") -> "list[StudyStatus]":
    from moat.cli.console import console
    from moat.report import status_table

    console.print(status_table(studies, console.width))
    return studies


def _live(reader: "StatusReader", every: float) -> "list[StudyStatus]":
    from rich.live import Live

    from moat.cli.console import console
    from moat.report import status_table

    with Live(console=console, auto_refresh=False) as live:
        while True:
            studies = reader.read()
            live.update(status_table(studies, console.width), refresh=True)
            if all(study.is_over for study in studies):
                return studies
            time.sleep(every)


def _lines(reader: "StatusReader", every: float) -> "list[StudyStatus]":
    from moat.report import change_lines

    studies = _shown(reader.read())
    while not all(study.is_over for study in studies):
        time.sleep(every)
        before, studies = studies, reader.read()
        for line in change_lines(before, studies):
            say(line)
    return studies
