"""Every score beside published ones, or beside another protocol's."""

from pathlib import Path
from typing import Annotated

import typer

from moat.cli.formats import Format, FormatOption, require_one
from moat.cli.options import weighed


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
    rival: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Draw the front there beside the page's own."),
    ] = None,
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE=WEIGHT,...", help="Ring one run on the page, chosen as by `moat front`."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the files go; RESULTS if not given.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Show every score, runs across and scores down, beside the figures that a paper prints.

    In another form than a table's, files are written with --out alone.
    """
    from moat.cli.console import console
    from moat.cli.published import published_of
    from moat.cli.report_text import against_text, boards_text
    from moat.report import (
        against_table,
        compare_protocols,
        make_scoreboards,
        score_table,
        write_against,
        write_report,
    )
    from moat.runs import as_typed, opened, outputs_of

    home, results = outputs_of(results), opened(results)
    against, rival = against and opened(against), rival and opened(rival)

    if (rival or prefer) and not html:
        raise typer.BadParameter("--rival and --prefer are drawn on the page: --html FILE")
    if against:
        if recipe:
            raise typer.BadParameter("published figures and another protocol are two reports")
        if html:
            raise typer.BadParameter("--html shows one protocol; leave out --against")
        comparison = compare_protocols(results, against)
        if form is Format.table:
            console.print(against_table(comparison))
            out = out or home
        else:
            typer.echo(against_text(comparison, form))
        for path in write_against(comparison, out) if out else []:
            typer.echo(f"wrote {path}", err=form is not Format.table)
        return
    published, variants = published_of(recipe) if recipe else (None, [])
    made = make_scoreboards(results, published, variants)
    for message in made.messages:
        typer.echo(message, err=True)
    if form is Format.table:
        for board in made.boards:
            console.print(score_table(board, console.width))
        out = out or home
    else:
        require_one(len(made.boards), "report", form)
        typer.echo(boards_text(made, form))
    for path in write_report(made, out) if out else []:
        typer.echo(f"wrote {path}", err=form is not Format.table)
    if html:
        from moat.report.front.front import fronts_of
        from moat.report.page import write_page

        weights = weighed(prefer, "--prefer")
        groups = [board.group for board in made.boards]
        fronts, missed = fronts_of(groups, against=rival, prefer=weights)
        for message in missed:
            typer.echo(f"skipped: {message}", err=True)
        page = write_page(
            made, results, html, fronts, lambda m: typer.echo(as_typed(f"left out: {m}"), err=True)
        )
        typer.echo(f"wrote {page}")
