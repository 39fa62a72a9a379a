"""Numbers of a recipe for objectives by name: preferences and ideal points."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from moat.errors import DefinitionError, did_you_mean
from moat.names import NATURAL


def require_known(given: Mapping[str, float], names: Sequence[str], field: str) -> None:
    """Raise DefinitionError for a name that is not one of the objectives."""
    for name in given:
        if name not in names:
            raise DefinitionError(
                f"{field} names {name!r}, which is not an objective.{did_you_mean(name, names)}",
                hint=f"The objectives: {', '.join(names)}.",
            )


def require_each(given: Mapping[str, float], names: Sequence[str], field: str) -> None:
    """Raise DefinitionError for a threat without a number; the natural objective needs none."""
    require_known(given, names, field)
    for name in names:
        if name not in given and name != NATURAL:
            raise DefinitionError(
                f"{field} has no number for the objective {name!r}.",
                hint=f"Write one, as in {field} = {{ {name} = 1.0 }}; 0 leaves the objective out.",
            )


def row_of(given: Mapping[str, float], names: Sequence[str], default: float = 0.0) -> Tensor:
    """Return the numbers as a row (objectives,) on the host, float64, in the order of the names."""
    numbers = [given.get(name, default) for name in names]
    return torch.tensor(numbers, dtype=torch.float64, device="cpu")
