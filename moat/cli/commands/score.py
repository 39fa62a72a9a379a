"""Every score of single runs, from stored outcomes."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.formats import Format, FormatOption, NotesOption, sheets_text
from moat.cli.lines import say
from moat.cli.options import listed
from moat.plain import json_of


def score(
    run: Annotated[list[Path], typer.Argument(help="Finished runs, or folders of them.")],
    union: Annotated[
        str | None,
        typer.Option(metavar="THREAT,...", help="Add the union over these threats only."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Add the universal score against this run.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    form: FormatOption = Format.table,
    notes: NotesOption = False,
) -> None:
    """Show every score of single runs from their stored outcomes, without a new attack."""
    from moat.cli.console import console
    from moat.report import run_sheet, run_tables, runs_csv, score_runs
    from moat.runs import opened

    scored = score_runs(
        list(map(opened, run)), listed(union), baseline and opened(baseline), _say_skipped
    )
    if as_json or form is Format.json:
        typer.echo(json_of([one.as_table() for one in scored], indent=2))
    elif form is Format.csv:
        typer.echo(runs_csv(scored).rstrip("\n"))
    elif form is not Format.table:
        typer.echo(sheets_text([run_sheet(one) for one in scored], form))
    else:
        console.print(run_tables(scored, brief=not notes))


def _say_skipped(message: str) -> None:
    say(f"skipped: {message}", err=True)
