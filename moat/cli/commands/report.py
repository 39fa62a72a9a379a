"""Every score beside published ones, or beside another protocol's."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    results: Annotated[Path, typer.Argument(help="A folder with finished runs below it.")],
    recipe: Annotated[
        Path | None,
        typer.Option(help="Take the published figures from this file, not from the runs' own."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS", help="Set the same runs under another protocol beside these."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page for a browser, with all of it inside."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the files go; RESULTS if not given.")
    ] = None,
) -> None:
    """Show every score, runs across and scores down, beside the figures that a paper prints."""
    from moat.cli.display import console
    from moat.cli.published import published_of
    from moat.report import (
        against_table,
        compare_protocols,
        make_scoreboards,
        score_table,
        write_against,
        write_report,
    )

    if against:
        if recipe:
            raise typer.BadParameter("published figures and another protocol are two reports")
        if html:
            raise typer.BadParameter("--html shows one protocol; leave out --against")
        comparison = compare_protocols(results, against)
        console.print(against_table(comparison))
        for path in write_against(comparison, out or results):
            typer.echo(f"wrote {path}")
        return
    published, variants = published_of(recipe) if recipe else (None, [])
    made = make_scoreboards(results, published, variants)
    for message in made.messages:
        typer.echo(message, err=True)
    for board in made.boards:
        console.print(score_table(board, console.width))
    for path in write_report(made, out or results):
        typer.echo(f"wrote {path}")
    if html:
        from moat.report.page import write_page

        typer.echo(f"wrote {write_page(made, results, html)}")
