"""The fields of a protocol, each checked for its kind at the door."""

from collections.abc import Callable, Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

from moat.errors import InputError
from moat.names import why_no_name
from moat.number_bounds import FLOAT32_SIZE, MOST_COUNTED, why_unfit

MOST_RESTARTS = 10_000
_SEEDS = 2**63


def require_fields(protocol: Any) -> None:
    """Raise MoatError that names the first field of a protocol that is of another kind."""
    for name, (holds, kind) in _FIELDS.items():
        if not holds(value := getattr(protocol, name)):
            raise InputError(f"{name} of a protocol is {kind}, not {value!r:.80}.")
    for label in (*protocol.threats, *protocol.ensembles):
        if why := why_no_name(label):
            raise InputError(
                f"a threat or ensemble cannot have the label {label!r:.80}: {why}.",
                hint="Its label becomes a part of files' names: letters, digits, dots and dashes.",
            )


def is_memory(value: Any) -> bool:
    """Say whether a value is a number of GiB above 0 that can be computed with."""
    return _is_number(value) and float(value) > 0 and not why_unfit(float(value), FLOAT32_SIZE)


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Integral) and not isinstance(value, bool) and low <= int(value) <= high
    )


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _is_list_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return whether a value is a list or tuple whose entries all hold."""
    return lambda value: isinstance(value, list | tuple) and all(map(holds, value))


def _is_table_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(holds, value.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_radius(value: Any) -> bool:
    """Say whether a value is a number that is not too large; that it is above 0 is asked later."""
    return _is_number(value) and not (0 < float(value) < inf and why_unfit(float(value)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "threats": (_is_table_of(lambda one: True), "a table from labels to threats"),
    "at_steps": (
        _is_table_of(_is_list_of(_is_whole(-MOST_COUNTED, MOST_COUNTED))),
        "a table from labels to lists of whole numbers",
    ),
    "at_epsilon": (
        _is_table_of(_is_list_of(_is_radius)),
        "a table from labels to lists of radii of a size that float32 computes with",
    ),
    "restarts": (
        _is_table_of(_is_whole(-MOST_COUNTED, MOST_RESTARTS)),
        f"a table from labels to whole numbers of at most {MOST_RESTARTS:,}",
    ),
    "ensembles": (_is_table_of(_is_list_of(_is_text)), "a table from names to lists of labels"),
    "summed": (_is_list_of(_is_text), "a list of labels"),
    "examples": (_or_none(_is_whole(-MOST_COUNTED, MOST_COUNTED)), "a whole number of images"),
    "seed": (_is_whole(0, _SEEDS - 1), "a whole number from 0 on"),
    "memory": (_or_none(_is_number), "a number of GiB above 0"),
    "union_only": (lambda value: isinstance(value, bool), "true or false"),
}
