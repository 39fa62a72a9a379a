"""TOML and JSON from other people: limited before and after parsing."""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

DEPTH = 32
"""Tables and arrays within one another, and parts of a dotted key."""
SIZE = 1 << 18
"""Letters of a TOML text: a recipe has a few thousand."""
MOST_DIGITS = 400
"""Digits of a number in a TOML text."""
LARGEST = 2**63 - 1
"""The largest whole number that TOML promises, and numpy takes."""


class BoundError(ValueError):
    """A text that is larger or deeper than moat reads."""


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document of a TOML text; raise ValueError where it is none, or out of bounds.

    tomllib takes minutes for a dotted key of thousands of parts, and the whole stack for an array
    of as many levels. So its size, depth and digits are looked at first.
    """
    _require_bounds(text)
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise BoundError("it nests too deeply") from error
    if _is_deep(document):
        raise BoundError(f"it nests deeper than {DEPTH} levels")
    return document


def parse_json(text: str | bytes, *, plain: bool = True, finite: bool = False) -> Any:
    """Return the value of a JSON text; raise ValueError where it is none, or out of bounds.

    NaN and infinity, which JSON does not have and Python writes, are read as null, or refused by
    their key where numbers must be `finite`. Without `plain` the numbers and texts are not checked
    one by one: the caller checks them by their kinds.
    """
    try:
        value = json.loads(text, parse_constant=float if finite else _null)
    except RecursionError as error:
        raise BoundError("it nests too deeply") from error
    if plain:
        require_plain(value)
    return value


def require_plain(value: Any, *, dates: bool = False, infinite: bool = False) -> None:
    """Raise ValueError that names the key of the first fault: see `first_fault`."""
    if found := first_fault(value, dates=dates, infinite=infinite):
        key, why = found
        raise BoundError(": ".join(filter(None, [".".join(key), why])))


def first_fault(
    value: Any, *, dates: bool = False, infinite: bool = False
) -> tuple[tuple[str, ...], str] | None:
    """Return the key and the fault of what a document should not hold, None of a sound one.

    That is a number beyond 64 bits, text that is not Unicode, what lies deeper than moat reads,
    and, unless these may stand there, a date or a time and a number that is not finite.
    """
    if _is_sound(value):
        return None
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        key, held = stack.pop()
        if len(key) > DEPTH:
            return key[:3], f"tables and arrays nest at most {DEPTH} levels deep"
        if isinstance(held, dict):
            stack += [((*key, _printable(name)), inner) for name, inner in held.items()]
            held = "".join(held)
        elif isinstance(held, list):
            stack += [((*key, str(place)), inner) for place, inner in enumerate(held)]
            continue
        if why := _fault(held, dates, infinite):
            return key, why
    return None


def _is_sound(value: Any) -> bool:
    """Say whether a document surely has no fault, without keeping where each value lies."""
    texts: list[str] = []
    below = [value]
    for _ in range(DEPTH + 1):
        deeper: list[Any] = []
        for held in below:
            kind = type(held)
            if kind is dict:
                texts += held
                deeper += held.values()
            elif kind is list:
                deeper += held
            elif kind is str:
                texts.append(held)
            elif kind is float:
                if not math.isfinite(held):
                    return False
            elif kind is int:
                if abs(held) > LARGEST:
                    return False
            elif held is not None and kind is not bool:
                return False
        below = deeper
    return not below and _is_unicode("".join(texts))


def _is_deep(value: Any) -> bool:
    below = [value]
    for _ in range(DEPTH + 1):
        below = [
            inner
            for held in below
            if isinstance(held, dict | list)
            for inner in (held.values() if isinstance(held, dict) else held)
        ]
    return bool(below)


def _fault(held: Any, dates: bool, infinite: bool) -> str:
    if isinstance(held, str):
        return "" if _is_unicode(held) else "text must be Unicode"
    if isinstance(held, bool | None):
        return ""
    if isinstance(held, int):
        return "" if abs(held) <= LARGEST else "a whole number has at most 64 bits"
    if isinstance(held, float):
        return "" if infinite or math.isfinite(held) else f"a number is finite, not {held}"
    return "" if dates else "moat reads neither dates nor times"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _null(_constant: str) -> None:
    return None


def _printable(name: str) -> str:
    return name.encode(errors="replace").decode()


def _require_bounds(text: str) -> None:
    """Raise BoundError for a text that is too large, nests too deeply, or has too long a number."""
    if len(text) > SIZE:
        raise BoundError(f"it has {len(text):,} letters, and at most {SIZE:,} are read")
    depth = dots = 0
    for token in _tokens(text):
        if token in "[{":
            depth, dots = depth + 1, 0
        elif token in "]}":
            depth, dots = depth - 1, 0
        elif token == ".":
            dots += 1
        elif token in "=,\n":
            dots = 0
        else:
            raise BoundError(f"a number has more than {MOST_DIGITS} digits")
        if max(depth, dots) > DEPTH:
            raise BoundError(f"it nests deeper than {DEPTH} levels")


def _tokens(text: str) -> Iterator[str]:
    """Yield the signs of a TOML text that nest, outside of its strings, and its long numbers.

    A quote that opens nothing ends them: tomllib goes no further either.
    """
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in ("'", '"'):
            return
        if token[0] not in "#'\"":
            yield token


_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*+'"
    r"|#[^\n]*+"
    rf"|[0-9_]{{{MOST_DIGITS},}}+"
    r"|[\[\]{}.=,\n'\"]",
    re.DOTALL,
)
