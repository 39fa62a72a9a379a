"""The range of numbers in float32 and of indices; others are refused before any work."""

import sys
from typing import Annotated, Any, ClassVar, get_origin

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from pydantic_core import PydanticCustomError

LARGEST_SIZE = 1e36
"""A float32 still holds a hundred times as much: searches double and scale their numbers."""
FLOAT32_SIZE = 3.4e38
"""The largest number of float32: a learning rate may be as large, and end its training."""
SMALLEST_SIZE = 1.2e-38
"""Above 0; a smaller one loses digits in float32, or is 0 there."""
MOST_COUNTED = 2**31 - 1
"""The largest count; a seed may be larger."""


def why_unfit(value: Any, largest: float = LARGEST_SIZE) -> str:
    """Return what a number, or each number of a list, should be; "" where it is so.

    Example:
        >>> why_unfit(0.1), why_unfit(1e39), why_unfit((0, 2**40))
        ('', 'should be at most 1e+36 in size', 'should be a whole number of at most 2147483647')
    """
    if isinstance(value, list | tuple):
        return next(filter(None, (why_unfit(one, largest) for one in value)), "")
    if isinstance(value, int):
        whole = (
            ""
            if abs(value) <= MOST_COUNTED
            else f"should be a whole number of at most {MOST_COUNTED}"
        )
        return "" if isinstance(value, bool) else whole
    if not isinstance(value, float):
        return ""
    if not abs(value) <= largest:  # NaN is not, either
        return f"should be at most {largest:g} in size"
    return (
        f"should be 0 or at least {SMALLEST_SIZE:g} in size"
        if 0 < abs(value) < SMALLEST_SIZE
        else ""
    )


def _fit(value: Any, largest: float = LARGEST_SIZE) -> Any:
    if why := why_unfit(value, largest):
        raise PydanticCustomError("unfit_number", "Input {why}", {"why": why})
    return value


def _representable(value: Any) -> Any:
    return _fit(value, FLOAT32_SIZE)


Bounded = AfterValidator(_fit)
"""Marks a field whose numbers are fit; every field of what is declared has it, but for seeds."""
PositiveNumber = Annotated[PositiveFloat, AfterValidator(_representable)]
NonNegativeNumber = Annotated[NonNegativeFloat, AfterValidator(_representable)]
PositiveCount = Annotated[PositiveInt, Field(le=MOST_COUNTED)]


class _AnySize:
    """Marks a field whose whole numbers may be as large as they like."""


Seed = Annotated[int, Field(ge=0, le=2**63 - 1), _AnySize()]


def with_fit_numbers(cls: type) -> None:
    """Have each annotated field of a class, before it becomes a dataclass, refuse unfit numbers."""
    own = vars(cls).get("__annotations__", {})
    module = sys.modules.get(cls.__module__)
    known = vars(module) if module else {}
    for name, annotation in own.items():
        if not (_is_of_class(annotation) or _is_of_any_size(annotation, known)):
            own[name] = Annotated[annotation, Bounded]


def _is_of_class(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return "ClassVar[" in annotation or annotation.endswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _is_of_any_size(annotation: Any, module: dict[str, Any]) -> bool:
    known = module.get(annotation) if isinstance(annotation, str) else annotation
    return any(isinstance(one, _AnySize) for one in getattr(known, "__metadata__", ()))
