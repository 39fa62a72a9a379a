"""The right form of a value of the wrong kind, for the message."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moat.recipe.provenance import Key, is_table

_ARRAYS_OF_TABLES = ("variant", "figure")
_NUMERIC = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_ARITHMETIC = re.compile(r"[\d.\s()*/+^-]+", re.ASCII)
_FALSE = ("false", "no", "off")
_TRUE = ("true", "yes", "on")
_LONGEST = 40


def mend_of(kind: str, value: Any, path: Key, where: str = "") -> str:
    """Return the right form of a value of a wrong kind, "" if it is unknown.

    `kind` is pydantic's name of the fault, `path` the key, and `where` the place in the error,
    which begins with --set for a value from there.

    Example:
        >>> mend_of("list_type", 3, ("seeds",))
        'Write a list in brackets: seeds = [3].'
    """
    typed = where.rpartition(", ")[2] if where.startswith("--set ") else ""
    for kinds, mend in _MENDS.items():
        if kind in kinds:
            return mend(value, path, typed)
    return ""


def toml_of(value: Any) -> str:
    """Return a plain value as TOML writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_of, value))}]"
    if is_table(value):
        inner = ", ".join(f"{_key(name)} = {toml_of(held)}" for name, held in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _said(path: Key, value: str, typed: str) -> str:
    """Return "key = value", as the option --set takes it where it was typed there."""
    if path[-1:] and path[-1].isdigit():  # an entry of a list
        return value
    if typed:
        return f"--set '{typed}={value}'"
    return f"{_key(path[-1])} = {value}" if path else value


def _number(value: Any, path: Key, typed: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    if _NUMERIC.fullmatch(value):
        return f"Leave the quotes out: {_said(path, value.strip(), typed)}."
    if _ARITHMETIC.fullmatch(value) and any(sign in value for sign in "*/+-^"):
        return 'Write a fraction of two numbers as text, "8/255", or else the result.'
    return ""


def _whole(value: Any, path: Key, typed: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"A whole number has no point: {_said(path, str(int(value)), typed)}."
    return _number(value, path, typed) if "/" not in str(value) else ""


def _truth(value: Any, path: Key, typed: str) -> str:
    word = str(value).strip().lower()
    if word in (*_TRUE, "1") or word in (*_FALSE, "0"):
        right = "true" if word in (*_TRUE, "1") else "false"
        return f"Write {_said(path, right, typed)}, in lower case and without quotes."
    return "Write true or false." if isinstance(value, str) else ""


def _text(value: Any, path: Key, typed: str) -> str:
    if isinstance(value, bool | int | float):
        return f"Write text in quotes: {_said(path, toml_of(str(toml_of(value))), typed)}."
    return ""


def _list(value: Any, path: Key, typed: str) -> str:
    if is_table(value):
        table = next((name for name in ("sweep", "path") if name in path), "")
        if table and (dotted := _first_list(value, path[path.index(table) + 1 :])):
            key, values = dotted
            return f'Put the dotted key in quotes: "{".".join(key)}" = {toml_of(values)}.'
        if path[0] in _ARRAYS_OF_TABLES and len(path) == 1 and not typed:
            return f"Write [[{path[-1]}]] in double brackets: there can be several."
        return ""
    if not isinstance(value, bool | int | float | str) or len(str(value)) > _LONGEST:
        return ""
    if typed in _ARRAYS_OF_TABLES:
        return f"Set a key of one of them, by its name: --set {typed}.NAME.KEY=VALUE."
    texts = value.split(",") if isinstance(value, str) else []
    entries: list[Any] = [_plain(text.strip()) for text in texts] or [value]
    return f"Write a list in brackets: {_said(path, toml_of(entries), typed)}."


def _plain(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else text


def _first_list(value: Mapping[str, Any], path: Key) -> tuple[Key, Sequence[Any]] | None:
    """Return the first list below a table with its whole path."""
    for name, held in value.items():
        if isinstance(held, list):
            return (*path, name), held
        if is_table(held) and (found := _first_list(held, (*path, name))):
            return found
    return None


def _table(value: Any, path: Key, typed: str) -> str:
    name = ".".join(map(_key, path))
    if value is False:
        return "false removes a table of the extended recipe, which lacks it."
    if isinstance(value, list) and value and all(map(is_table, value)):
        return f"Write [{name}] in single brackets: there is only one."
    if short := _SHORT.get(path[-1] if path else ""):
        return f"Write {short}."
    if typed:
        return f"Set one of its keys: --set {typed}.KEY=VALUE."
    if path[:1] == ("variant",) and len(path) > 2:
        below = ".".join(map(_key, (path[0], *path[2:])))
        return f"Write [{below}] below that [[variant]], and its keys on the lines below."
    return f"Write [{name}], and its keys on the lines below." if path else ""


_SHORT = {
    "conditioned": 'conditioned = { by = "film" }, or {} for the defaults',
    "start": 'a path in quotes, or start = { weights = "...", optimizer = "kept" }',
    "path": 'path = { "scalarizer.rho" = [0.0, 0.5] }, a list of values for each key',
    "sweep": 'sweep = { "scalarizer.rho" = [0.0, 0.5] }, a list of values for each key',
}
"""The right form of tables that are usually written on one line."""


def _shorter(value: Any, path: Key, typed: str) -> str:
    match path:
        case ("variant", _, "name"):
            return "Shorten it: it becomes the name of a folder."
        case ("threats" | "evaluation", *_):
            return "Shorten it: it becomes a part of files' names."
        case ("tags", _):
            return "Shorten it, and say the rest in notes."
    return "Shorten it."


def _label(value: Any, path: Key, typed: str) -> str:
    """Return how a threat is called whose registered name is no label, as `torchattacks:PGD`."""
    if not (isinstance(value, str) and ":" in value and path[:1] == ("threats",)):
        return ""
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", value.rpartition(":")[2]).strip("-_").lower()
    return f"Label it, and name its type: [threats.{label or 'mine'}] with type = {toml_of(value)}."


_Mend = Callable[[Any, Key, str], str]
_MENDS: Mapping[tuple[str, ...], _Mend] = {
    ("float_type", "float_parsing"): _number,
    ("int_type", "int_parsing", "int_from_float"): _whole,
    ("bool_type", "bool_parsing"): _truth,
    ("string_type",): _text,
    ("list_type", "tuple_type"): _list,
    ("string_too_long",): _shorter,
    ("string_pattern_mismatch",): _label,
    ("dict_type", "model_type", "model_attributes_type"): _table,
}
