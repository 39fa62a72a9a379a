"""The best result of every example of a climb, whether it still climbs or has left."""

import torch
from torch import Tensor

from moat.threats.climb import Climb, Trace
from moat.types import Images, PerExample, Transform, Verdicts


class Standings:
    """The results of every example of a climb, including those that have left."""

    def __init__(self, climb: Climb, count: int) -> None:
        self.images = climb.x.detach().clone()
        self.w: Transform = tuple(block.detach().clone() for block in climb.start)
        self.loss = climb.x.new_zeros(count)
        self.correct = torch.ones_like(self.loss, dtype=torch.bool)
        self.stood = self.correct.clone()
        self.best = torch.full_like(self.loss, -torch.inf)
        self.first = torch.full_like(self.loss, torch.nan)
        self.last = self.first.clone()
        self.blind = ~self.correct

    def see(
        self,
        rows: Tensor,
        loss: PerExample,
        correct: Verdicts,
        fine: Verdicts,
        standing: Verdicts | None,
    ) -> None:
        """Record a measured iterate of some examples; the fallen are unchanged."""
        before = self.first[rows]
        _put(self.first, rows, torch.where(before.isnan(), loss, before), standing)
        _put(self.last, rows, loss, standing)
        _put(self.best, rows, torch.fmax(self.best[rows], loss), standing)
        _put(self.stood, rows, self.stood[rows] & correct, standing)
        _put(self.blind, rows, self.blind[rows] | ~fine, standing)

    def write(
        self,
        rows: Tensor,
        images: Images,
        w: Transform,
        loss: PerExample,
        correct: Verdicts,
        chosen: Verdicts | None = None,
    ) -> None:
        """Keep an iterate of the chosen among some examples.

        The images are within the box up to the rounding of interpolation.
        """
        _put(self.images, rows, images.clamp(0, 1), chosen)
        for held, block in zip(self.w, w, strict=True):
            _put(held, rows, block.detach(), chosen)
        _put(self.loss, rows, loss, chosen)
        _put(self.correct, rows, correct, chosen)

    def trace(self) -> Trace:
        """Return the results so far, as the tensors themselves."""
        return Trace(**vars(self))


def _put(held: Tensor, rows: Tensor, values: Tensor, chosen: Verdicts | None) -> None:
    """Write the values of the chosen examples into their rows."""
    if chosen is not None:
        values = torch.where(chosen.view(-1, *[1] * (values.ndim - 1)), values, held[rows])
    held[rows] = values
