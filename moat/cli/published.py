"""The published figures of a recipe that is named beside the results."""

from pathlib import Path

from moat.errors import RecipeError
from moat.recipe import Source, read
from moat.recipe.explain import explained
from moat.recipe.schema import PublishedTable
from moat.report import Published


def published_of(path: Path) -> tuple[Published, list[str]]:
    """Return the published figures that a recipe states, and the names of its variants in order.

    Nothing else of the recipe is validated: it may hold that table alone.
    """
    source = read(path)
    if "published" not in source.document:
        raise RecipeError(
            "the recipe states no published figures.",
            where=source.where("published"),
            hint="They are a table [published] with `source` and `runs`.",
        )
    with explained(source, ("published",), PublishedTable):
        table = PublishedTable.model_validate(source.document["published"])
    return Published(table.source, table.runs), _variants(source)


def _variants(source: Source) -> list[str]:
    tables = source.document.get("variant")
    named = [table.get("name") for table in tables or [] if isinstance(table, dict)]
    return [name for name in named if isinstance(name, str)]
