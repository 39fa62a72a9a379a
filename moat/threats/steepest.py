"""Steps in the union of several balls: one in each, of which the highest loss decides."""

from collections.abc import Callable, Sequence

from torch import Tensor

from moat.geometry.union_ball import hardest_of, parts_of
from moat.threats.searches import Balls, Search
from moat.types import PerExample, Transform

LossesOf = Callable[[Sequence[Transform]], Tensor]
"""From several iterates to their losses, (iterates, batch)."""


class SteepestSearch(Search):
    """Multi steepest descent: a sign step in each ball of a union, and on from the worst of them.

    It remembers nothing. `losses_of` measures the steps; the loop gives it.

    Source: Maini, Wong and Kolter, Adversarial Robustness Against the Union of Multiple
    Perturbation Models, 2020, Algorithm 1.
    """

    losses_of: LossesOf

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return of one step in each part the one with the highest loss, an example at a time."""
        count = max(len(parts_of(ball)) for ball in balls)
        steps = [
            tuple(
                parts_of(ball)[min(number, len(parts_of(ball)) - 1)].step(block, slope)
                for ball, block, slope in zip(balls, w, gradients, strict=True)
            )
            for number in range(count)
        ]
        losses = self.losses_of(steps)
        return tuple(hardest_of(list(blocks), losses) for blocks in zip(*steps, strict=True))
