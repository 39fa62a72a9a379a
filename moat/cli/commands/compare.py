"""Compare finished runs, from stored outcomes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moat.cli.formats import Format, FormatOption, NotesOption, sheets_text

if TYPE_CHECKING:
    from moat.report import RunComparison


def compare(
    run: Annotated[
        list[Path],
        typer.Argument(help="Two finished runs or more; the first is the reference."),
    ],
    ids: Annotated[
        bool, typer.Option("--ids", help="Show the ids of all examples withstood by one run only.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    form: FormatOption = Format.table,
    notes: NotesOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables and the outcome of each example.")
    ] = None,
) -> None:
    """Compare runs: recipes, scores with paired intervals, examples withstood."""
    from moat.cli.console import console
    from moat.cli.output_files import OutputFiles
    from moat.report import compare_runs, comparison_shown, write_comparison
    from moat.runs import opened

    form = Format.json if as_json else form
    comparison = compare_runs(list(map(opened, run)))
    written = OutputFiles()
    if out:
        written.write(lambda: write_comparison(comparison, out))
    if form is Format.table:
        console.print(comparison_shown(comparison, console.width, ids, brief=not notes))
    else:
        typer.echo(_text(comparison, form))
    written.say(err=form is not Format.table)
    if comparison.refusal:
        raise comparison.refusal


def _text(comparison: "RunComparison", form: Format) -> str:
    from moat.report.side_by_side.files import comparison_csv, comparison_json
    from moat.report.side_by_side.parts import all_sheets, comparison_markdown

    made = {
        Format.csv: comparison_csv,
        Format.json: comparison_json,
        Format.markdown: comparison_markdown,
    }
    if form in made:
        return made[form](comparison).rstrip("\n")
    return sheets_text(all_sheets(comparison), form)
