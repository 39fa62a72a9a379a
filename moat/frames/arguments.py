"""The arguments of `moat.results`, checked before use."""

import math
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from moat.errors import ArgumentError, FrontError, MoatError, did_you_mean
from moat.runs import as_typed, opened

_MOST = 10  # names of an error
_NUMBERS = (int, float, np.integer, np.floating)
_WEIGHTS = 'Name each score with a number of at least 0: prefer={"natural": 0.5, "pgd": 0.5}'


@contextmanager
def places_as_typed() -> Iterator[None]:
    """Say of the places of opened bundles in an error what the caller named these."""
    try:
        yield
    except MoatError as error:
        said = [as_typed(text) for text in (error.message, error.where, error.hint)]
        if said == [error.message, error.where, error.hint]:
            raise
        raise type(error)(*said) from None


def name_of(value: Any, argument: str, known: Sequence[str]) -> str:
    """Return a name; raise ArgumentError of anything but text, with the nearest of the known."""
    if isinstance(value, str):
        return value
    raise ArgumentError(
        f"a name is text, not {_kind(value)}.{did_you_mean(str(value), known)}",
        where=argument,
        hint=f"known: {', '.join(known[:_MOST])}{', ...' if known[_MOST:] else ''}",
    )


def name_list(values: Any, argument: str) -> list[str]:
    """Return the names of a list; raise ArgumentError where it is none of text."""
    if isinstance(values, str):
        parted = ", ".join(repr(name.strip()) for name in values.split(","))
        raise ArgumentError(
            "the names are a list, not one text.", argument, f"{argument}=[{parted}]"
        )
    example = f'{argument}=["natural", "pgd"], or leave it out.'
    if not isinstance(values, Iterable) or isinstance(values, bytes | Mapping | Set):
        raise ArgumentError(f"the names are a list, not {_kind(values)}.", argument, example)
    names = list(values)
    for one in names:
        if not isinstance(one, str):
            raise ArgumentError(f"a name is text, not {_kind(one)}.", argument, example)
    return names


def weight_table(values: Any, argument: str) -> dict[str, float] | None:
    """Return the weights of scores, None where there are none.

    Raises ArgumentError for anything but a table of numbers, FrontError for weightless numbers.
    """
    if values is None:
        return None
    if not isinstance(values, Mapping):
        raise ArgumentError(f"weights are a dict, not {_kind(values)}.", argument, _WEIGHTS)
    for name, weight in values.items():
        if (
            not isinstance(name, str)
            or isinstance(weight, bool)
            or not isinstance(weight, _NUMBERS)
        ):
            raise ArgumentError(
                f"{name!r}: {reprlib.repr(weight)} is not a weight.", argument, _WEIGHTS
            )
        if not (0 <= weight <= _LARGEST):
            raise FrontError(
                f"{name!r}: {reprlib.repr(weight)} is not a weight.", argument, _WEIGHTS
            )
    weights = {name: float(weight) for name, weight in values.items()}
    if weights and not sum(weights.values()):
        raise FrontError("all weights are 0.", argument, "Give one of them more.")
    if math.isinf(sum(weights.values())):
        raise FrontError("the sum of the weights overflows.", argument, "Divide them all.")
    return weights


def folder_of(value: Any, argument: str) -> Path:
    """Return the results folder that a path stands for: see `moat.runs.opened`.

    Raises ArgumentError for what is not a path, FrontError for an empty one.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(path := os.fspath(value), bytes):
        raise ArgumentError(
            f"a results folder is one path, not {_kind(value)}.",
            where=argument,
            hint='Name it as text, or as pathlib.Path: "results/digits_pareto"',
        )
    if not path:
        raise FrontError("the path is empty.", argument, 'The working folder is "."')
    return opened(path)


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


_LARGEST = 1.7976931348623157e308
