"""The conditioned network of a variant: its table, its points, and the rule of its training."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from moat.number_bounds import PositiveCount
from moat.recipe.shorthand import number_of
from moat.scalarizers import RandomPreference

DRAWS = RandomPreference.name
"""The type of the scalarizer that draws a preference for each step."""


def _place(value: Any) -> Any:
    found = number_of(value)
    numbers = list(found.values()) if isinstance(found, dict) else [found]
    if not numbers or not all(map(_is_share, numbers)):
        raise ValueError(
            "should be a number from 0 (natural) to 1 (robust), or weights by objective, as in "
            f"{{ natural = 0.3, pgd = 0.7 }}, not {value!r}"
        )
    return found if isinstance(found, dict) else float(found)


def _is_share(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
Place = Annotated[
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
    at: Annotated[tuple[Place, ...], Field(strict=False, min_length=1)] = (0, 0.25, 0.5, 0.75, 1)
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


def with_draws(scalarizer: Any) -> dict[str, Any]:
    """Return the table of the scalarizer that draws preferences up to the given one's weights."""
    if scalarizer == DRAWS or (isinstance(scalarizer, dict) and scalarizer.get("type") == DRAWS):
        return {"type": DRAWS} if isinstance(scalarizer, str) else scalarizer
    return {"type": DRAWS, "rule": scalarizer}
