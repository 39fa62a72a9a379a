"""Every score of single runs, from what is stored."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.options import listed
from moat.plain import json_of


def score(
    run: Annotated[list[Path], typer.Argument(help="Finished runs, or folders with some below.")],
    union: Annotated[
        str | None, typer.Option(metavar="THREAT,...", help="Add the union over these alone.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Add the universal score against this run.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain JSON.")] = False,
) -> None:
    """Show every score of single runs, from their stored outcomes: no attack is run."""
    from moat.cli.console import console
    from moat.report import run_table, score_runs

    scored = score_runs(run, listed(union), baseline)
    if as_json:
        typer.echo(json_of([one.as_table() for one in scored], indent=2))
        return
    for one in scored:
        console.print(run_table(one))
