"""The output formats of tables."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from moat.errors import MoatError
from moat.plain import json_of
from moat.sheets import Sheet, csv_of, dicts_of, latex_of, markdown_of


class Format(StrEnum):
    """The form in which a table is printed."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    latex = "latex"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="Form of the printed tables.")]

NotesOption = Annotated[
    bool,
    typer.Option("--notes", help="Print every note: each score defined, each check explained."),
]


def sheets_text(sheets: Sequence[Sheet], form: Format) -> str:
    """Return sheets as Markdown or LaTeX, an empty line between two."""
    made = latex_of if form is Format.latex else markdown_of
    return "\n\n".join(map(made, sheets))


def sheet_text(sheet: Sheet, form: Format) -> str:
    """Return one sheet in any form but that of a terminal; CSV and JSON have its rows."""
    if form is Format.csv:
        return csv_of(dicts_of(sheet), sheet.headings).rstrip("\n")
    if form is Format.json:
        return json_of(dicts_of(sheet), indent=2)
    return sheets_text([sheet], form)


def require_one(count: int, name: str, form: Format) -> None:
    """Raise MoatError where several groups of runs are to be one file of CSV or JSON."""
    if form in (Format.csv, Format.json) and count > 1:
        raise MoatError(
            f"these runs form {count} groups that are not comparable, and {form.value} holds one.",
            where="--format",
            hint=f"--out FOLDER writes a file for each, {name}-1.{form.value} and so on.",
        )
