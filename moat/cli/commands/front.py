"""Which runs no other run dominates."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.options import listed


def front(
    results: Annotated[Path, typer.Argument(help="A folder with finished runs below it.")],
    merge: Annotated[
        bool,
        typer.Option("--merge", help="Put all runs on one front; refused where they are unequal."),
    ] = False,
    objectives: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE,...", help="What the front is of: natural, union, total, threats, ..."
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="RESULTS", help="Measure it against the front there.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the files go; RESULTS if not given.")
    ] = None,
) -> None:
    """Show which runs no other run dominates, and write the table and the picture."""
    from moat.cli.display import console
    from moat.report import front_table, make_fronts, write_front

    report = make_fronts(results, merge=merge, objectives=listed(objectives), against=against)
    for message in report.skipped:
        typer.echo(f"skipped: {message}", err=True)
    for one in report.fronts:
        console.print(front_table(one, console.width))
    for path in write_front(report, out or results):
        typer.echo(f"wrote {path}")
