"""What a recipe can name, and its schema."""

from typing import Annotated

import typer

from moat.cli.options import Listing
from moat.plain import json_of


def list_(
    kind: Annotated[Listing, typer.Argument(help="What to list.")],
    load: Annotated[
        bool, typer.Option("--load", help="Import each, and say why one cannot be imported.")
    ] = False,
) -> None:
    """Show what a recipe can name, and the package that each comes from."""
    from moat.catalogue import catalogue
    from moat.cli.console import console
    from moat.cli.names_table import names_table

    if load:
        from moat.cli.imported import imported

        console.print(names_table(kind.value, imported(kind.value)))
    else:
        console.print(names_table(kind.value, catalogue(kind.value)))


def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from moat.recipe import json_schema

    typer.echo(json_of(json_schema(), indent=2))
