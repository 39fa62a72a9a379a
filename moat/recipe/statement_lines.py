"""The line of each key in a TOML file."""

import tomllib
from collections.abc import Iterator
from typing import Any

from moat.recipe.provenance import Key, items


def statement_lines(text: str) -> dict[Key, int]:
    r"""Return the line of each key, counted from 1; entries of arrays go by their places.

    A statement ends with the first line at which it parses on its own, so that TOML's own parser
    says what belongs together.

    Example:
        >>> statement_lines('a = 1\n[b]\nc.d = [\n  2,\n]\n')["b", "c", "d", "0"]
        3
    """
    found: dict[Key, int] = {}
    tables: dict[Key, int] = {}  # how many entries each array of tables has had
    above: Key = ()
    for line, statement, parsed in _statements(text):
        header = statement.lstrip().startswith("[")
        if header:
            above = _table(parsed, tables, entry=statement.lstrip().startswith("[["))
            found.setdefault(above, line)
            continue
        for key, _ in items(parsed):
            if key:
                found.setdefault((*above, *key), line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield each statement that is not a blank or comment, with its first line and its meaning."""
    held: list[str] = []
    first = 1
    for line, part in enumerate(text.splitlines(keepends=True), 1):
        if not held:
            first = line
        held.append(part)
        try:
            parsed = tomllib.loads("".join(held))
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            yield first, "".join(held), parsed
        held = []


def _table(parsed: dict[str, Any], tables: dict[Key, int], *, entry: bool) -> Key:
    """Return the key of a header's table, with the places of the arrays that it stands in."""
    names: list[str] = []
    held: Any = parsed
    while held:
        name = next(iter(held))
        names.append(name)
        held = held[name]
        if isinstance(held, list):
            break
    key: Key = ()
    for number, name in enumerate(names, 1):
        key = (*key, name)
        if entry and number == len(names):
            tables[key] = tables.get(key, 0) + 1
        if key in tables:
            key = (*key, str(tables[key] - 1))
    return key
