"""The conditioned network of a variant: its table, its points, and the rule of its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from moat.number_bounds import PositiveCount
from moat.preferences import SUM_ROUNDING
from moat.recipe.shorthand import number_of
from moat.types import Weights


def _place(value: Any) -> Any:
    found = number_of(value)
    if isinstance(found, dict):
        found = {name: number_of(weight) for name, weight in found.items()}
    numbers = list(found.values()) if isinstance(found, dict) else [found]
    fits = all(map(_is_number, numbers)) if isinstance(found, dict) else _is_share(found)
    if not numbers or not fits:  # the sum of a preference is checked with its objectives
        raise ValueError(
            "should be a number from 0 (natural) to 1 (robust), or weights by objective, as in "
            f"{{ natural = 0.3, pgd = 0.7 }}, not {value!r}"
        )
    return found if isinstance(found, dict) else float(found)


def _is_number(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool)


def _is_share(number: Any) -> bool:
    return _is_number(number) and 0 <= number <= 1


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
FrontPoint = Annotated[
    Any,
    BeforeValidator(_place),
    WithJsonSchema({"anyOf": [_SHARE, {"type": "object", "additionalProperties": _SHARE}]}),
]
"""A point of the line from natural (0) to robust (1), or a preference."""


class ConditionedTable(BaseModel):
    """One network for many preferences, and the points of the front that it yields.

    Each entry of `at` is a run: a point of the line from the natural objective (0) to the weights
    of the scalarizer (1), or a preference by objective. The first run trains the network; the
    others take theirs from it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    by: Literal["film"] = "film"
    at: Annotated[tuple[FrontPoint, ...], Field(strict=False, min_length=1)] = (
        0,
        0.25,
        0.5,
        0.75,
        1,
    )
    hidden: PositiveCount = 32  # width of the encoder of the preference


@dataclass(frozen=True)
class Conditioned:
    """The conditioned network of a run, and the run's own point.

    Example:
        >>> Conditioned("film", 32, {"natural": 0.3, "pgd": 0.7}).identity
        {'by': 'film', 'hidden': 32, 'at': {'natural': 0.3, 'pgd': 0.7}}
    """

    by: Literal["film"]
    hidden: int
    at: float | dict[str, float]

    @property
    def identity(self) -> dict[str, Any]:
        """The identity within that of the training."""
        return {"by": self.by, "hidden": self.hidden, "at": self.at}


def place_in_words(at: Any) -> Any:
    """Return a point as a run's label and folder have it: a number, or the text of a preference.

    Example:
        >>> place_in_words(0.5), place_in_words(1.0), place_in_words({"natural": 0.3, "pgd": 0.7})
        (0.5, 1, '0.3natural+0.7pgd')
    """
    if not isinstance(at, dict):
        return int(at) if at == int(at) else at
    return "+".join(f"{weight:g}{name}" for name, weight in at.items() if weight)


def in_objective_order(at: Any, names: Sequence[str]) -> Any:
    """Return a preference in the order of the objectives, without weights of 0; a number as it is.

    Example:
        >>> in_objective_order({"pgd": 0.7, "rt": 0, "natural": 0.3}, ["natural", "pgd", "rt"])
        {'natural': 0.3, 'pgd': 0.7}
    """
    if not isinstance(at, Mapping):
        return at
    known = [name for name in names if name in at]
    kept = {name: at[name] for name in [*known, *at] if at[name] != 0}
    return kept or dict(at)


def same_point(one: Weights, other: Weights) -> bool:
    """Say whether two preferences (objectives,) are one, up to rounding."""
    return bool((one - other).abs().max() <= SUM_ROUNDING)
