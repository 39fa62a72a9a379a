"""The names for a recipe, and the schema of a recipe."""

from typing import Annotated

import typer

from moat.cli.formats import Format, FormatOption, sheet_text
from moat.cli.options import CatalogueKind
from moat.plain import json_of


def list_(
    kind: Annotated[CatalogueKind, typer.Argument(help="What to list.")],
    load: Annotated[
        bool, typer.Option("--load", help="Import each, and show the error of one that fails.")
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """List the names for recipes, each with its package, or moat's own recipes."""
    from moat.catalogue import catalogue
    from moat.cli.console import console
    from moat.cli.names_sheet import names_sheet
    from moat.sheets import terminal_of

    if kind is CatalogueKind.recipes:
        from moat.recipe.packaged import recipe_catalogue

        entries = recipe_catalogue()
    elif load:
        from moat.cli.imports import imported

        entries = imported(kind.value)
    else:
        entries = catalogue(kind.value)
    sheet = names_sheet(kind.value, entries)
    if form is Format.table:
        console.print(terminal_of(sheet, gap=2))
    else:
        typer.echo(sheet_text(sheet, form))


def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from moat.recipe import json_schema

    typer.echo(json_of(json_schema(), indent=2))
