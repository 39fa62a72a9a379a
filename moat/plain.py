"""Plain data as JSON, which has no NaN and no infinity: an undefined figure is null."""

import json
import math
from typing import Any


def as_json(value: Any) -> Any:
    """Return the same with None for NaN and infinity; arrays and tensors as lists and numbers.

    Example:
        >>> as_json({"loss": [0.5, float("nan")], "lr": float("inf")})
        {'loss': [0.5, None], 'lr': None}
    """
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if callable(plain := getattr(value, "tolist", None)):
        return as_json(plain())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_of(
    value: Any, *, indent: int | None = None, separators: tuple[str, str] | None = None
) -> str:
    """Return plain data as JSON that every reader takes; what is not plain stands as its text."""

    def dumped(table: Any) -> str:
        return json.dumps(
            table, indent=indent, separators=separators, allow_nan=False, default=_plain
        )

    try:
        return dumped(value)
    except ValueError:  # NaN or infinity, which are rare
        return dumped(as_json(value))


def _plain(value: Any) -> Any:
    """Return an array as lists and a number of numpy's as one of Python's, else text."""
    plain = getattr(value, "tolist", None)
    return as_json(plain()) if callable(plain) else str(value)
