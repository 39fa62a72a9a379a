"""Short ways to write a recipe's tables and numbers: `model = "tiny-cnn"`, `epsilon = "8/255"`."""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import ValidationError

from moat.errors import FieldError
from moat.recipe.provenance import Document, Key
from moat.recipe.start import START_KEY

T = TypeVar("T")

FRACTION = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*/\s*(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
"""The text of a fraction of two numbers, as a regular expression."""

_TYPED = ("data", "model", "optimizer", "schedule")
_WRITTEN = re.compile(rf"\s*{FRACTION}\s*", re.ASCII)
_NUMBER = ("float_type", "float_parsing")
_LONGEST = 60


def spelled_out(path: Key, value: Any) -> Any:
    """Return the value of a key; a `type` alone becomes its table, as the path of a start does.

    Example:
        >>> spelled_out(("schedule",), "cosine"), spelled_out(("seeds",), [0])
        ({'type': 'cosine'}, [0])
    """
    own = path if path[:1] != ("variant",) else path[2:]
    if own == (START_KEY,) and isinstance(value, str):
        return {"weights": value}
    typed = path[:1] == ("threats",) if len(path) == 2 else len(path) == 1 and path[0] in _TYPED
    return {"type": value} if typed and isinstance(value, str) else value


def spell_out(document: Document) -> None:
    """Write out every table of a document that is given by its `type` alone."""
    for key in _TYPED:
        if key in document:
            document[key] = spelled_out((key,), document[key])
    if isinstance(threats := document.get("threats"), dict):
        for label, table in threats.items():
            threats[label] = spelled_out(("threats", label), table)


def number_of(value: Any) -> Any:
    """Return the number of a fraction's text; anything else, and a division by 0, as it is.

    Example:
        >>> number_of("51 / 255"), number_of("nets/mine.pth"), number_of("1/0")
        (0.2, 'nets/mine.pth', '1/0')
    """
    if not isinstance(value, str) or len(value) > _LONGEST or not _WRITTEN.fullmatch(value):
        return value
    above, below = map(float, value.split("/"))
    return above / below if below else value


def numbers_of(values: Any) -> Any:
    """Return a list with the numbers of its fractions; anything else as it is."""
    return [number_of(one) for one in values] if isinstance(values, list) else values


def with_fractions(make: Callable[[Document], T], table: Document) -> T:
    """Return what is made of a table, whose fractions are numbers where numbers are asked for.

    A text that may stand where it does stays a text.
    """
    try:
        return make(table)
    except (ValidationError, FieldError) as error:
        refused = error if isinstance(error, ValidationError) else error.__cause__
        assert isinstance(refused, ValidationError)  # FieldErrors are made of these alone
        fractions = [
            found["loc"]
            for found in refused.errors()
            if found["type"] in _NUMBER and number_of(found["input"]) != found["input"]
        ]
        if not fractions:
            raise
    table = deepcopy(table)
    for place in fractions:
        _replace(table, place)
    return make(table)


def _replace(table: Any, place: Sequence[int | str]) -> None:
    """Replace a fraction; what pydantic adds to its place, as a union's member, is not a key."""
    inside = table
    held: Any = None
    key: int | str = ""
    for part in place:
        is_key = isinstance(inside, dict) and part in inside
        if is_key or (isinstance(inside, list) and isinstance(part, int)):
            held, key, inside = inside, part, inside[part]
    if held is not None:
        held[key] = number_of(held[key])
