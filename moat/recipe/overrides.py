"""Single keys set from outside: `--set key=value`, and the values of a sweep."""

import tomllib
from pathlib import Path
from typing import Any

from moat.errors import RecipeError, did_you_mean
from moat.models.weights import names_file
from moat.recipe.source import Document, Key, is_table, items, without

PATHS = (("data", "root"), ("model", "weights"))
"""Keys whose strings are paths, read from the folder of the file that names them."""


def names_path(key: Key, value: object) -> bool:
    """Say whether a key holds a path; `model.weights` may also be the name of published ones."""
    published = key == ("model", "weights") and isinstance(value, str) and not names_file(value)
    return key in PATHS and isinstance(value, str) and not published


def override(document: Document, said_in: dict[Key, str], text: str) -> None:
    """Apply one `key=value`; the value is TOML, or a string where it is none."""
    key, equals, value = text.partition("=")
    where = f"--set {text}"
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise RecipeError(
            "an override is written key=value, and a key with dots, as in data.validation=0.1.",
            where=where,
        )
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    if names_path(path, parsed):
        parsed = str(Path(parsed).expanduser().resolve())
    said = set_key(document, path, parsed, where)
    kept = without(said_in, said)
    said_in.clear()
    said_in.update({**kept, **dict.fromkeys(said, where)})


def set_key(document: Document, path: Key, value: Any, where: str) -> list[Key]:
    """Set a dotted key, its tables made if need be; return the keys that were said thereby.

    An array of tables is entered by the `name` of one: variant.pareto.scalarizer.window.
    """
    held: Any = document
    walked: Key = ()
    made: list[Key] = []
    for part in path[:-1]:
        if isinstance(held, list):
            names = [str(table.get("name")) if is_table(table) else "" for table in held]
            if part not in names:
                raise RecipeError(
                    f"{'.'.join(walked)} has no {part!r}.{did_you_mean(part, names)}",
                    where=where,
                    hint=f"known: {', '.join(names)}",
                )
            position = names.index(part)
            held, walked = held[position], (*walked, str(position))
        else:
            walked = (*walked, part)
            if part not in held:
                made.append(walked)
            if part == "scalarizer" and isinstance(held.get(part), str):
                held[part] = {"type": held[part]}  # `scalarizer = "max"` is short for a table
            held = held.setdefault(part, {})
        if not isinstance(held, dict | list):
            raise RecipeError(f"{'.'.join(walked)} is no table, but {held!r}.", where=where)
    if isinstance(held, list):
        raise RecipeError(
            f"{'.'.join(walked)} is an array, whose entries are reached by their names.",
            where=where,
            hint="Write a whole array, or a key of one entry, as in variant.NAME.scalarizer.r.",
        )
    held[path[-1]] = value
    return [*made, *(key for key, _ in items(value, (*walked, path[-1])))]
