"""A recipe with its defaults: every key, and its origin."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from moat.cli.options import CodeOption, Overrides, consent_to, whole_number
from moat.consent import consenting
from moat.plain import json_of


class RecipeForm(StrEnum):
    """The form in which a recipe is printed."""

    toml = "toml"
    json = "json"


def show(
    recipe: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="VARIANT", help="Only this variant; repeatable.")
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(parser=whole_number, metavar="SEED", help="Only this seed; repeatable."),
    ] = None,
    set_: Overrides = None,
    form: Annotated[
        RecipeForm, typer.Option("--format", help="Form of the output.")
    ] = RecipeForm.toml,
    allow_code: CodeOption = None,
) -> None:
    """Print a recipe with all its keys: its own, inherited, overridden and default ones.

    Each key has its origin: the file and line, the --set, or the default. The TOML is itself a
    recipe of the same runs.
    """
    from moat.recipe import plan_runs, read
    from moat.recipe.resolved import resolved
    from moat.recipe.resolved_text import resolved_toml

    consent = consent_to(allow_code, err=True)
    with consenting(consent):
        source = read(recipe, set_ or ())
        found = resolved(source, plan_runs(source, only or (), seed or ()), only or ())
    if form is RecipeForm.toml:
        typer.echo(resolved_toml(found), nl=False)
        return
    origins = {".".join(key): said for key, said in found.origins.items() if key}
    typer.echo(json_of({"recipe": found.document, "origin": origins}, indent=2))
