"""What a recipe can name, and its schema."""

from typing import Annotated

import typer

from moat.cli.options import Listing
from moat.plain import json_of


def list_(kind: Annotated[Listing, typer.Argument(help="What to list.")]) -> None:
    """Show what a recipe can name, and the package that each comes from."""
    from importlib import import_module

    from moat.cli.console import console
    from moat.cli.tables import registry_table
    from moat.registry import Registry

    module = {"datasets": "data"}.get(kind.value, kind.value)
    registry: Registry[object] = import_module(f"moat.{module}").registry
    console.print(registry_table(registry))


def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from moat.recipe import json_schema

    typer.echo(json_of(json_schema(), indent=2))
