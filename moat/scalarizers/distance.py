"""The distance of each objective from its ideal value, weighed by a preference."""

from typing import Annotated

import torch
from torch import Tensor

from moat.number_bounds import Bounded
from moat.objectives import LossMatrix
from moat.scalarizers.by_name import require_each, require_known, row_of
from moat.transfers import send

_Level = Annotated[float, Bounded]
Ideal = _Level | dict[str, _Level]
"""The ideal point in nats: one number for every objective, or one by name."""


def require_named(
    preference: dict[str, float] | None, ideal: float | dict[str, float], names: tuple[str, ...]
) -> None:
    """Raise DefinitionError for a preference or an ideal point that does not fit the objectives."""
    if preference is not None:
        require_each(preference, names, "preference")
    if isinstance(ideal, dict):
        require_known(ideal, names, "ideal")


def preference_row(preference: dict[str, float] | None, names: tuple[str, ...]) -> Tensor:
    """Return a preference as a row (objectives,) on the host; ones for None."""
    return row_of({} if preference is None else preference, names, float(preference is None))


def ideal_row(ideal: float | dict[str, float], names: tuple[str, ...]) -> Tensor:
    """Return an ideal point as a row (objectives,) on the host."""
    return row_of(ideal if isinstance(ideal, dict) else dict.fromkeys(names, ideal), names)


def distances(losses: LossMatrix, factors: Tensor, point: Tensor | None = None) -> Tensor:
    """Return factorᵢ (Lᵢ − pointᵢ) in float64, (objectives,); a point of None is 0.

    For an objective that was not measured or has the factor 0 it is −inf.
    """
    means = losses.means().detach().double()
    factors = send(factors.double(), means.device)
    out = factors == 0
    if losses.measured is not None:
        out = out | ~send(losses.measured, means.device).view(len(means), -1).any(1)
    means = means if point is None else means - send(point, means.device)
    return (factors * means).masked_fill(out, -torch.inf)


def preferred_distances(
    losses: LossMatrix,
    preference: dict[str, float] | None,
    ideal: float | dict[str, float],
) -> tuple[Tensor, Tensor]:
    """Return the factors of a preference on the losses' device, and the distances they weigh."""
    factors = preference_row(preference, losses.names)
    found = distances(losses, factors, ideal_row(ideal, losses.names))
    return send(factors, found.device), found
