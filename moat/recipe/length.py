"""The length of a training: epochs or passes, of which the nearer statement replaces the other.

`budget = { passes_per_example = 840 }` is short for `training.passes = 840`.
"""

from typing import Any

from moat.errors import RecipeError, did_you_mean
from moat.recipe.provenance import Document, Key, is_table

LENGTHS = ("epochs", "passes")
"""Keys of [training], exactly one of which is said."""
BUDGET_KEY: Key = ("budget", "passes_per_example")
PASSES: Key = ("training", "passes")


def with_budget_spelled_out(document: Document, where: str) -> None:
    """Write the budget of a file as the key of [training] that it stands for, also where swept.

    Raises RecipeError for a budget that is none, and beside another length.
    """
    if "budget" in document:
        passes = budget_of(document.pop("budget"), f"{where}, budget")
        training = document.setdefault("training", {})
        if not is_table(training):
            return  # which is refused where tables are validated
        if said := [key for key in LENGTHS if key in training]:
            raise RecipeError(
                f"the budget and training.{said[0]} both set the length of the training.",
                where=f"{where}, budget",
                hint="Leave one of them out: with a budget, the epochs follow from what a step "
                "costs.",
            )
        training["passes"] = passes
    for variant in _tables(document.get("variant")):
        sweep = variant.get("sweep")
        if isinstance(sweep, dict) and ".".join(BUDGET_KEY) in sweep:
            variant["sweep"] = {
                ".".join(PASSES) if key == ".".join(BUDGET_KEY) else key: values
                for key, values in sweep.items()
            }


def key_and_value(path: Key, value: Any, where: str) -> tuple[Key, Any]:
    """Return a key that is set from outside, and its value, with a budget spelled out."""
    if path[:1] != BUDGET_KEY[:1]:
        return path, value
    table = value
    for part in reversed(path[1:]):
        table = {part: table}
    return PASSES, budget_of(table, where)


def budget_of(table: Any, where: str) -> Any:
    """Return the passes of a budget; raise RecipeError where it has another form."""
    if not is_table(table) or list(table) != [BUDGET_KEY[1]]:
        unknown = [key for key in table if key != BUDGET_KEY[1]] if is_table(table) else []
        near = did_you_mean(unknown[0], [BUDGET_KEY[1]]) if unknown else ""
        raise RecipeError(
            f"a budget has one key, passes_per_example.{near}",
            where=where,
            hint="Write budget = { passes_per_example = 840 }, or passes = 840 in [training].",
        )
    return table[BUDGET_KEY[1]]


def without_other_length(below: Document, above: Document) -> Document:
    """Leave out of a base's document the length of training that the one above replaces."""
    held, said = below.get("training"), above.get("training")
    if not isinstance(held, dict) or not isinstance(said, dict):
        return below
    other = other_lengths(said)
    return {**below, "training": {key: value for key, value in held.items() if key not in other}}


def other_lengths(said: Document) -> tuple[str, ...]:
    """Return the keys that those of a table replace: none where both or none is said."""
    stated = [key for key in LENGTHS if key in said]
    return tuple(key for key in LENGTHS if key not in stated) if stated else ()


def _tables(value: Any) -> list[Document]:
    return [table for table in value if is_table(table)] if isinstance(value, list) else []
