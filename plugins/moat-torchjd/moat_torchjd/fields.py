"""The parameters of a TorchJD aggregator as fields that a recipe can state."""

import inspect
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field
from torch import Tensor

PLAIN = (bool, int, float, str, NoneType)
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
"""A vector in a recipe, one number for each objective, "natural" first."""
RENAMED = {"weights": "values"}
"""Parameters whose names a scalarizer has for a method."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of an aggregator and the field that it becomes."""

    name: str
    annotation: Any
    default: Any  # inspect.Parameter.empty where it has none
    is_vector: bool

    @property
    def field(self) -> str:
        """The name of the field."""
        return RENAMED.get(self.name, self.name)


def parameters_of(aggregator: type[Any]) -> list[Parameter] | None:
    """Return the parameters that plain values can state, None if another one is required.

    A tensor becomes a list of numbers. An object, such as the projector of UPGrad, keeps its
    default.
    """
    hints = get_type_hints(aggregator.__init__)
    found = []
    for one in list(inspect.signature(aggregator.__init__).parameters.values())[1:]:
        parts = _parts(hints.get(one.name, Any))
        is_vector = Tensor in parts and float not in parts
        kept = [part for part in parts if part is not Tensor] + [Numbers] * is_vector
        if not all(
            part in PLAIN or part is Numbers or get_origin(part) is Literal for part in kept
        ):
            if one.default is inspect.Parameter.empty:
                return None
            continue
        found.append(Parameter(one.name, Union[tuple(kept)], one.default, is_vector))  # noqa: UP007
    return found


def _parts(annotation: Any) -> list[Any]:
    is_union = isinstance(annotation, UnionType) or get_origin(annotation) is Union
    return list(get_args(annotation)) if is_union else [annotation]
