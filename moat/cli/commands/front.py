"""The front: the runs that no other run dominates."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moat.cli.formats import Format, FormatOption, NotesOption, require_one, sheets_text
from moat.cli.lines import say
from moat.cli.option_table import of_table
from moat.cli.options import as_options, listed, weights_of

if TYPE_CHECKING:
    from moat.report import FrontReport


@dataclass(frozen=True)
class FrontOptions:
    """The arguments and options of `moat front`."""

    results: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Put all runs on one front; refused if their data or protocols differ."
        ),
    ] = False
    objectives: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE,...", help="Objectives of the front: natural, union, total, threats, ..."
        ),
    ] = None
    against: Annotated[
        Path | None, typer.Option(metavar="RESULTS", help="Compare the front with that of RESULTS.")
    ] = None
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="SCORE=WEIGHT,...",
            help="Choose one run by these weights, on held-out examples.",
        ),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COST|SCORE",
            help="Sort members and others: by passes, passes_to_here or seconds, the cheapest "
            "first, or a score.",
        ),
    ] = None
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Compare every setting with this one. Default: the average of the threats.",
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
def front(options: FrontOptions) -> None:
    """Show the Pareto front of the runs; write it as a table and a figure.

    With another --format than table, files are written only with --out.
    """
    from moat.cli.console import console
    from moat.cli.output_files import OutputFiles
    from moat.report import difference_table, front_table, interval_table, make_fronts, write_front
    from moat.runs import opened, outputs_of

    results, form = options.results, options.form
    with as_options("objectives", "prefer", "sort", "baseline"):
        report = make_fronts(
            *map(opened, results),
            merge=options.merge,
            objectives=listed(options.objectives),
            against=options.against and opened(options.against),
            prefer=weights_of(options.prefer, "--prefer"),
            sort=options.sort,
            baseline=options.baseline,
        )
    folder = options.out or (outputs_of(results[0]) if len(results) == 1 else Path())
    written = OutputFiles()
    if form is Format.table:
        written.write(lambda: write_front(report, folder))
    for message in report.skipped:
        say(f"skipped: {message}", err=True)
    if form is not Format.table:
        require_one(len(report.fronts), "front", form)
        if options.out:
            written.write(lambda: write_front(report, folder))
        typer.echo(_text(report, form))
        written.say(err=True)
        return
    for one in report.fronts:
        console.print(front_table(one, console.width, brief=not options.notes))
        if sure := interval_table(one, console.width):
            console.print(sure)
        if apart := difference_table(one, console.width):
            console.print(apart)
        if one.choice:  # a line of its own, which no terminal breaks
            chosen = one.choice.row
            say(f"preferred: {chosen.name}: {chosen.point.place}")
    written.say()


def _text(report: "FrontReport", form: Format) -> str:
    from moat.report.front.data import csv_text, json_text
    from moat.report.front.table import difference_sheet, front_sheet, interval_sheet

    if form is Format.csv:
        return csv_text(report.fronts[0]).rstrip("\n")
    if form is Format.json:
        return json_text(report.fronts[0], report.skipped).rstrip("\n")
    made = (front_sheet, interval_sheet, difference_sheet)
    sheets = [sheet_of(one) for one in report.fronts for sheet_of in made]
    return sheets_text([sheet for sheet in sheets if sheet is not None], form)
