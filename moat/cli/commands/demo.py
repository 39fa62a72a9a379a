"""Run a first study: moat contains its recipe and its data."""

from inspect import signature
from typing import Any

from moat.cli.commands.train import train
from moat.cli.lines import say


def demo(**options: Any) -> None:
    """Train moat's example study: nine models of 8x8 digits, in minutes, without a download."""
    from moat.recipe.packaged import DEMO, packaged_recipes

    recipe = packaged_recipes()[DEMO]
    train(recipe, **options)
    if not options["dry_run"]:
        say(f'A study of your own begins with extends = "{DEMO}", or a copy of {recipe}')


# Its options are those of `train`: typer reads them off the signature and the annotations.
_own = signature(train)
demo.__signature__ = _own.replace(  # type: ignore[attr-defined]
    parameters=[one for name, one in _own.parameters.items() if name != "recipe"]
)
demo.__annotations__ = {k: v for k, v in train.__annotations__.items() if k != "recipe"}
