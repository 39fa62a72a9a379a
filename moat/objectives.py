"""The loss vector of Eq. 11 for each example."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from moat.errors import InputError, TrainingError
from moat.public import public
from moat.types import Losses, Mask, Weights


@public
@dataclass(frozen=True)
class LossMatrix:
    """Per-example losses of shape (objectives, batch), in nats: Eq. 11 before the expectation.

    `names` has a name for each row, the natural loss first. `measured` says which rows or entries
    were measured (all of them if it is None). An unmeasured entry is NaN, so that its use cannot go
    unnoticed. `correct` is the bool matrix of correctly classified examples, if it was kept;
    training always keeps it, from the forward that measures the losses.

    Example:
        >>> losses = LossMatrix(torch.tensor([[0.0, 1.0], [2.0, 4.0]]), ("natural", "pgd"))
        >>> losses.means()
        tensor([0.5000, 3.0000])
    """

    values: Losses
    names: tuple[str, ...]
    correct: torch.Tensor | None = None
    measured: Mask | None = None

    def __post_init__(self) -> None:
        if len(self.names) != len(self.values):
            raise InputError(f"{len(self.names)} names for {len(self.values)} rows of losses")

    def means(self) -> Weights:
        """Return each objective's mean over its measured examples, shape (objectives,)."""
        return self._over_measured(self.values)

    def accuracies(self) -> Weights | None:
        """Return each objective's share of correct examples, shape (objectives,).

        NaN for an objective that was not measured; None if `correct` was not kept, as for losses of
        your own.
        """
        return None if self.correct is None else self._over_measured(self.correct.to(self.values))

    def require_finite(self, where: str, hint: str) -> None:
        """Raise a TrainingError that names the first objective with a non-finite loss."""
        measured = self._measured_entries()
        broken = (~torch.isfinite(self.values) & measured).any(1)
        if bool(broken.any()):
            row = int(broken.int().argmax())
            raise TrainingError(
                f"the loss of the objective {self.names[row]!r} is no longer finite "
                f"(mean {self.means()[row].item()}).",
                where=where,
                hint=hint,
            )

    def _over_measured(self, entries: Losses) -> Weights:
        # No nanmean: a measured NaN must show in the mean. No measured entry at all is 0 / 0.
        measured = self._measured_entries()
        return entries.masked_fill(~measured, 0).sum(1) / measured.sum(1)

    def _measured_entries(self) -> torch.Tensor:
        if self.measured is None:
            return torch.ones_like(self.values, dtype=torch.bool)
        return by_entry(self.measured, self.values.shape[1])


@public
def by_entry(values: Tensor, batch: int) -> Tensor:
    """Expand (objectives,) to (objectives, batch); a matrix stays as it is.

    Example:
        >>> by_entry(torch.tensor([0.25, 0.75]), batch=2)
        tensor([[0.2500, 0.2500],
                [0.7500, 0.7500]])
    """
    return values if values.ndim == 2 else values[:, None].expand(-1, batch)


@public
def side_by_side(matrices: Sequence[LossMatrix]) -> LossMatrix:
    """Return the losses of several batches, (objectives, batch) each, as one matrix.

    Example:
        >>> losses = LossMatrix(torch.zeros(2, 3), ("natural", "pgd"))
        >>> side_by_side([losses, losses]).values.shape
        torch.Size([2, 6])
    """
    if len(matrices) == 1:
        return matrices[0]
    values = torch.cat([one.values for one in matrices], dim=1)
    correct = [one.correct for one in matrices if one.correct is not None]
    measured = None
    if any(one.measured is not None for one in matrices):
        measured = torch.cat([one._measured_entries() for one in matrices], dim=1)
    kept = torch.cat(correct, dim=1) if len(correct) == len(matrices) else None
    return LossMatrix(values, matrices[0].names, kept, measured)
