"""Plain data as JSON, which has no NaN and no infinity: a figure that is undefined is null."""

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
    return json.dumps(
        as_json(value), indent=indent, separators=separators, allow_nan=False, default=str
    )
