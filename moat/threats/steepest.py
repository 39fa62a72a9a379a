"""Steps in the union of several balls: one in each; the highest loss decides."""

from collections.abc import Callable, Sequence

from torch import Tensor

from moat.geometry.union_ball import hardest_of, parts_of
from moat.threats.searches import Balls, Search
from moat.types import PerExample, Transform

LossesOf = Callable[[Sequence[Transform]], Tensor]
"""From several iterates to their losses, (iterates, batch)."""


class SteepestSearch(Search):
    """Multi steepest descent: a step in each ball of a union, of which the worst is taken.

    It has no memory. `losses_of`, which the loop provides, measures the steps.

    Source: Maini, Wong and Kolter, Adversarial Robustness Against the Union of Multiple
    Perturbation Models, 2020, Algorithm 1.
    """

    losses_of: LossesOf

    def next(self, w: Transform, loss: PerExample, gradients: Transform, balls: Balls) -> Transform:
        """Return, for each example, the step with the highest loss of one step in each part."""
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
