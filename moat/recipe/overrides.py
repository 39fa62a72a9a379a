"""Single keys set from outside: `--set key=value`, and the values of a sweep."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from moat.errors import RecipeError, did_you_mean
from moat.names import names_file
from moat.parsing import DEPTH, parse_toml
from moat.recipe.length import key_and_value, other_lengths
from moat.recipe.paths import absolute
from moat.recipe.plain_numbers import require_plain_numbers
from moat.recipe.provenance import Document, Key, forget_below, is_table, items
from moat.recipe.shorthand import spelled_out
from moat.short_text import cut_short

PATHS = (("data", "root"), ("model", "weights"), ("model", "initial_weights"))
"""Keys whose strings are paths, read from the folder of the file that names them."""

_NAMES_A_TYPE = ("scalarizer", "rule")
"""Keys of a variant that take a name for a table of its type."""

_OF_A_FILE = {
    "extends": 'Write a recipe with that line, extends = "base.toml", and the differing tables.',
    "code": "Only a run's own recipe has this key; `plugins` names a recipe's files of code.",
}


def names_path(key: Key, value: object) -> bool:
    """Say whether a key holds a path; `model.weights` may also be the name of published ones."""
    if not isinstance(value, str):
        return False
    published = key == ("model", "weights") and not names_file(value)
    plugin = key[:1] == ("plugins",) and len(key) == 2
    return (key in PATHS and not published) or is_start(key) or plugin


def with_absolute_paths(key: Key, value: Any, folder: Path, where: str) -> Any:
    """Return the value of a key with each path in it, at any depth, as an absolute one."""
    if names_path(key, value):
        return absolute(value, folder, where)
    if isinstance(value, dict):
        return {n: with_absolute_paths((*key, n), one, folder, where) for n, one in value.items()}
    if isinstance(value, list):
        entries = enumerate(value)
        return [with_absolute_paths((*key, str(n)), one, folder, where) for n, one in entries]
    return value


def is_start(key: Key) -> bool:
    """Say whether a key holds the path of a start: the recipe's, or that of a named variant."""
    inside = key[2:] if key[:1] == ("variant",) else key
    return inside in (("start",), ("start", "weights"))


def start_tables(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the tables of all starts in a document that name a path, spelled out, by their keys."""
    variants = document.get("variant")
    tables = filter(is_table, variants if isinstance(variants, list) else [])
    holders = [("start", document)]
    holders += [(f"variant.{table.get('name', '')}.start", table) for table in tables]
    for key, holder in holders:
        if isinstance(holder.get("start"), str):
            holder["start"] = {"weights": holder["start"]}
        start = holder.get("start")
        if isinstance(start, dict) and isinstance(start.get("weights"), str):
            yield key, start


def override(document: Document, said_in: dict[Key, str], text: str) -> None:
    """Apply one `key=value`; the value is TOML, or a string where it is none."""
    where = f"--set {text}"
    path, value = _parsed(text, where)
    if not all(path):
        raise RecipeError(
            "write an override as key=value, with a dotted key, as in data.validation=0.1.",
            where=where,
        )
    _require_settable(path[0], where)
    value = with_absolute_paths(path, value, Path(), cut_short(where))
    path, value = key_and_value(path, value, cut_short(where))
    said = set_key(document, path, value, where)
    kept = forget_below(said_in, said)
    said_in.clear()
    said_in.update({**kept, **dict.fromkeys(said, where)})


def _require_settable(key: str, where: str) -> None:
    """Raise RecipeError for what belongs to a file: it is read before anything is set."""
    if key in _OF_A_FILE:
        raise RecipeError(
            f"{key!r} can only be set in a recipe's file.",
            where=cut_short(where),
            hint=_OF_A_FILE[key],
        )


def arguments(texts: Iterable[str]) -> tuple[Document, dict[Key, str]]:
    """Return a model table's keys from one `key=value` each, and the source of each key.

    Values are TOML, as an override's.
    """
    table: Document = {}
    said_in: dict[Key, str] = {}
    for text in texts:
        where = f"--arg {text}"
        path, value = _parsed(text, where)
        if len(path) != 1 or not all(path):
            raise RecipeError("write an argument as key=value, for example width=16.", where=where)
        if path == ("type",):
            raise RecipeError("--model names the model.", where=where)
        if names_path(("model", *path), value):
            value = absolute(value, Path(), where)
        table[path[0]] = value
        said_in["model", path[0]] = where
    return table, said_in


def _parsed(text: str, where: str) -> tuple[Key, Any]:
    """Return the parts of the key, of which one is empty where there is none, and the value."""
    key, equals, value = text.partition("=")
    path = _parts(key) if equals else ("",)
    if len(path) > DEPTH:
        raise RecipeError(f"the key has {len(path):,} parts.", where=cut_short(where))
    try:
        table = parse_toml(f"value = {value}")
    except tomllib.TOMLDecodeError:
        table = {"value": value.strip()}
    except ValueError as error:
        raise RecipeError(f"its value cannot be read: {error}.", where=cut_short(where)) from error
    else:
        require_plain_numbers(value, table["value"], cut_short(where))
    if len(table) > 1:
        raise RecipeError("set one key at a time.", where=cut_short(where))
    return path, table["value"]


def _parts(key: str) -> Key:
    """Return the parts of a dotted key; one with dots stands in quotes, as those of a sweep do."""
    if '"' in key or "'" in key:
        try:
            held: Any = tomllib.loads(f"{key} = 0")
        except tomllib.TOMLDecodeError:
            return ("",)
        parts = []
        while isinstance(held, dict):
            ((part, held),) = held.items()
            parts.append(part)
        return tuple(parts)
    return tuple(part.strip() for part in key.split("."))


def _is_short(walked: Key) -> bool:
    """Say whether a name may stand for the table at a key: a rule's, or a loss's."""
    inside = walked[2:] if walked[0] == "variant" else walked
    loss = inside[:1] == ("losses",) and len(inside) <= 2
    return loss or walked[-1] in _NAMES_A_TYPE


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
            if _is_short(walked) and isinstance(held.get(part), str):
                held[part] = {"type": held[part]}  # `scalarizer = "max"` is short for a table
            held = held.setdefault(part, {})
        if not isinstance(held, dict | list):
            raise RecipeError(f"{'.'.join(walked)} is not a table, but {held!r}.", where=where)
    if isinstance(held, list):
        raise RecipeError(
            f"{'.'.join(walked)} is an array; name one of its entries.",
            where=where,
            hint="Write a whole array, or a key of one entry, as in variant.NAME.scalarizer.r.",
        )
    if walked == ("training",):
        for other in other_lengths({path[-1]: value}):
            held.pop(other, None)
    if value is False and is_table(held.get(path[-1])):
        del held[path[-1]]  # the table is left out, as `false` in a file leaves out the base's
        return [(*walked, path[-1])]
    held[path[-1]] = value = spelled_out(path, value)
    return [*made, *(key for key, _ in items(value, (*walked, path[-1])))]
