"""Every score beside published ones, or beside another protocol's."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moat.cli.formats import Format, FormatOption, NotesOption, require_one
from moat.cli.lines import say
from moat.cli.option_table import of_table
from moat.cli.options import as_options, weights_of
from moat.cli.output_files import OutputFiles

if TYPE_CHECKING:
    from moat.report import ScoreReport


@dataclass(frozen=True)
class ReportOptions:
    """The arguments and options of `moat report`."""

    results: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Take the published figures from this file instead of the runs' recipes."
        ),
    ] = None
    against: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Compare with the same runs under another protocol."),
    ] = None
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one self-contained page for a browser."),
    ] = None
    rival: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Draw the front of RESULTS as well on the page."),
    ] = None
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE=WEIGHT,...", help="Mark one run on the page, chosen as by `moat front`."
        ),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COST|SCORE",
            help="Sort the runs: by passes, passes_to_here or seconds, the cheapest first, or a "
            "score.",
        ),
    ] = None
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Compare every column with this one. Default: the average of the threats.",
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the files. Default: RESULTS; of several, the working folder."
        ),
    ] = None
    form: FormatOption = Format.table
    notes: NotesOption = False


@of_table
def report(options: ReportOptions) -> None:
    """Show every score of every run, beside the published figures.

    With another --format than table, files are written only with --out.
    """
    from moat.runs import opened, outputs_of

    _require_one_report(options)
    place = outputs_of(options.results[0]) if len(options.results) == 1 else Path()
    usual = place if options.form is Format.table else None
    options = replace(
        options,
        results=list(map(opened, options.results)),
        against=options.against and opened(options.against),
        rival=options.rival and opened(options.rival),
        out=options.out or usual,
    )
    if options.against:
        _against(options, options.against)
    else:
        _scores(options)


def _require_one_report(options: ReportOptions) -> None:
    from moat.errors import FrontError
    from moat.runs import require_folder_of

    if options.html:
        require_folder_of(options.html, FrontError)
    if (options.rival or options.prefer) and not options.html:
        raise typer.BadParameter("--rival and --prefer are drawn on the page: --html FILE")
    if options.against and len(options.results) > 1:
        raise typer.BadParameter("--against takes one folder of results")
    if options.html and len({path.parent.resolve() for path in options.results}) > 1:
        raise typer.BadParameter("a page shows folders with one parent: put them beside each other")
    if options.against and options.recipe:
        raise typer.BadParameter("published figures and another protocol are two reports")
    if options.against and options.sort:
        raise typer.BadParameter("--sort is for one protocol; leave out --against")
    if options.against and options.baseline:
        raise typer.BadParameter("--baseline is for one protocol; leave out --against")
    if options.against and options.html:
        raise typer.BadParameter("--html shows one protocol; leave out --against")


def _against(options: ReportOptions, against: Path) -> None:
    """Compare with the same runs under another protocol."""
    from moat.cli.console import console
    from moat.cli.report_text import against_text
    from moat.report import against_table, compare_protocols, write_against

    comparison = compare_protocols(options.results[0], against)
    written = OutputFiles()
    if options.out:
        written.write(partial(write_against, comparison, options.out))
    if options.form is Format.table:
        console.print(against_table(comparison))
    else:
        typer.echo(against_text(comparison, options.form))
    written.say(err=options.form is not Format.table)


def _scores(options: ReportOptions) -> None:
    """Show the scores, and write the page if it is asked for."""
    from moat.cli.console import console
    from moat.cli.recipe_tables import published_of
    from moat.cli.report_text import boards_text
    from moat.report import make_scoreboards, score_table, write_report

    recipe = options.recipe
    published, variants = published_of(recipe) if recipe else (None, [])
    with as_options("sort", "baseline"):
        made = make_scoreboards(
            options.results, published, variants, options.sort, options.baseline
        )
    written = OutputFiles()
    if options.form is not Format.table:
        require_one(len(made.boards), "report", options.form)
    if options.out:
        written.write(partial(write_report, made, options.out))
    if options.html:
        written.write(partial(_write_page, made, options, options.html))
    for message in made.messages:
        say(message, err=True)
    if options.form is Format.table:
        for board in made.boards:
            console.print(score_table(board, console.width, brief=not options.notes))
    else:
        typer.echo(boards_text(made, options.form))
    written.say(err=options.form is not Format.table)


def _write_page(made: "ScoreReport", options: ReportOptions, file: Path) -> list[Path]:
    from moat.report.front.front import fronts_of
    from moat.report.page import write_page

    weights = weights_of(options.prefer, "--prefer")
    groups = [board.group for board in made.boards]
    with as_options("prefer"):
        fronts, missed = fronts_of(groups, against=options.rival, prefer=weights)
    for message in missed:
        say(f"skipped: {message}", err=True)
    first = options.results[0]
    root = first if len(options.results) == 1 else first.parent
    return [write_page(made, root, file, fronts, _say_left_out)]


def _say_left_out(message: str) -> None:
    from moat.runs import as_typed

    say(as_typed(f"left out: {message}"), err=True)
