"""A resolved recipe as TOML, each key with its origin as a comment."""

from collections.abc import Iterator
from typing import Any

import tomli_w

from moat.printable import printable
from moat.recipe.provenance import Document, Key, is_table
from moat.recipe.resolved import BY_DEFAULT, ResolvedRecipe

_COLUMN = 44
"""The column of comments behind shorter lines."""


def resolved_toml(recipe: ResolvedRecipe) -> str:
    """Return a recipe that resolves to the same runs; its comments name the source of each key."""
    return "\n".join(_table((), recipe.document, "", recipe)).strip() + "\n"


def _table(key: Key, table: Document, header: str, recipe: ResolvedRecipe) -> Iterator[str]:
    """Yield a table's header, its plain keys, those without a value, then the tables in it."""
    inner = {name: held for name, held in table.items() if is_table(held) or _is_array(held)}
    plain = [name for name in table if name not in inner]
    unset = [place[-1] for place in recipe.unset if place[:-1] == key]
    if header and (plain or unset or not inner or header.startswith("[[")):
        yield ""
        yield header if plain or inner else _with(header, _origin(key, recipe))
    for name in plain:
        line = f"{_name(name)} = {_value(table[name])}"
        yield _with(line, _origin((*key, name), recipe))
    for name in unset:
        yield _with(f"# {_name(name)} =", f"{BY_DEFAULT}, no value")
    for name, held in inner.items():
        dotted = f"{header.strip('[]')}.{_name(name)}".lstrip(".")
        if is_table(held):
            yield from _table((*key, name), held, f"[{dotted}]", recipe)
            continue
        for number, entry in enumerate(held):
            yield from _table((*key, name, str(number)), entry, f"[[{dotted}]]", recipe)


def _is_array(held: Any) -> bool:
    return isinstance(held, list) and bool(held) and all(map(is_table, held))


def _origin(key: Key, recipe: ResolvedRecipe) -> str:
    known = (key[:n] for n in range(len(key), -1, -1))
    return next((recipe.origins[place] for place in known if place in recipe.origins), "")


def _with(line: str, origin: str) -> str:
    return f"{line:<{_COLUMN}}  # {printable(' '.join(origin.split()))}" if origin else line


def _name(name: str) -> str:
    return tomli_w.dumps({name: 0}).removesuffix(" = 0\n")


def _value(value: Any) -> str:
    """Return a value in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_name(name)} = {_value(held)}" for name, held in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")
