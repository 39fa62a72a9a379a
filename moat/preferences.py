"""Preferences: the weight of each objective, on the simplex, for a network that takes one."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from moat.errors import InputError, did_you_mean
from moat.types import Weights

SUM_ROUNDING = 1e-6
"""The error that the sum of a preference may have."""

LARGEST_WEIGHT = 1e300
"""No weight is larger, so that their sum is a number."""


def simplex_row(preference: Mapping[str, float], names: Sequence[str]) -> Weights:
    """Return a preference as a row (objectives,), float64, in the order of the names.

    An objective that is not named has 0. Raises InputError for an unknown objective, a number that
    is negative or not finite, and a sum other than 1.

    Example:
        >>> simplex_row({"pgd": 0.75, "natural": 0.25}, ["natural", "pgd", "rt"])
        tensor([0.2500, 0.7500, 0.0000], dtype=torch.float64)
    """
    known = f"The objectives: {', '.join(names)}."
    for name in preference:
        if name not in names:
            near = did_you_mean(name, names) if isinstance(name, str) else ""
            raise InputError(f"the preference names {name!r}, no objective.{near}", hint=known)
    shares = all(map(_is_weight, preference.values()))
    total = sum(preference.values()) if shares else 1
    if abs(total - 1) > SUM_ROUNDING:
        raise InputError(
            f"the weights of the preference sum to {total:g}, not to 1.",
            hint=f"Divide each by {total:g}." if total > 0 else known,
        )
    for name, weight in preference.items():
        if not (_is_weight(weight) and weight <= 1 + SUM_ROUNDING):
            raise InputError(
                f"the preference gives {name!r} the weight {weight!r}, not a number from 0 to 1.",
                hint=known,
            )
    row = [float(preference.get(name, 0)) for name in names]
    return torch.tensor(row, dtype=torch.float64, device="cpu") / total


def _is_weight(weight: object) -> bool:
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    return number and 0 <= weight < LARGEST_WEIGHT  # type: ignore[operator]


def on_the_line(at: float, robust: Tensor) -> Tensor:
    """Return the preference at a point of the line from natural (0) to the robust end (1).

    Raises InputError outside it.

    Example:
        >>> on_the_line(0.5, torch.tensor([0.0, 0.5, 0.5]))
        tensor([0.5000, 0.2500, 0.2500])
    """
    number = isinstance(at, int | float) and not isinstance(at, bool)
    if not (number and 0 <= at <= 1):
        raise InputError(
            f"at is {at!r}, not a number from 0 to 1.",
            hint="0 is the natural end of the line, 1 the robust one.",
        )
    natural = torch.zeros_like(robust)
    natural[0] = 1
    return (1 - at) * natural + at * robust
