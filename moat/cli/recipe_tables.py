"""Published figures and `[[figure]]` tables from a recipe beside the results."""

from pathlib import Path

from moat.errors import RecipeError
from moat.recipe.explain import explained
from moat.recipe.load import read
from moat.recipe.provenance import Source
from moat.records import Difference, Figures, Published, Relationship


def published_of(path: Path) -> tuple[Published, list[str]]:
    """Return the published figures that a recipe states, and the names of its variants in order.

    Nothing else of the recipe is validated: it may hold that table alone.
    """
    source = read(path)
    if "published" not in source.document:
        raise RecipeError(
            "the recipe states no published figures.",
            where=source.where("published"),
            hint="Add a table [published] with `source` and `runs`.",
        )
    with explained(source, ("published",), Published):
        published = Published.model_validate(source.document["published"])
    return published, _variants(source)


def figures_of(path: Path) -> list[Relationship | Difference]:
    """Return the figures that a recipe declares; nothing else of it is validated."""
    source = read(path)
    if not source.document.get("figure"):
        raise RecipeError(
            "the recipe declares no figure.",
            where=source.where("figure"),
            hint="Add a table [[figure]]; docs/recipes.md lists its keys.",
        )
    with explained(source, (), Figures):
        made = Figures.model_validate({"figure": source.document["figure"]})
    return list(made.figure)


def _variants(source: Source) -> list[str]:
    tables = source.document.get("variant")
    named = [table.get("name") for table in tables or [] if isinstance(table, dict)]
    return [name for name in named if isinstance(name, str)]
