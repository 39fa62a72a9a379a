"""The l1 ball: many small changes or a few large ones, within one total."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from moat.geometry.balls import Ball, draw, rows


@dataclass(frozen=True, eq=False)
class L1Ball(Ball):
    """All w whose |entries| sum to at most epsilon, in the box.

    `sparsity` is the share of the entries that one step moves, at least one entry. The exact
    steepest direction moves one entry, so a search would need as many steps as entries; but a
    search never changes fewer entries than one step does.

    Example:
        >>> L1Ball(epsilon=1.0, step_size=0.1).project(torch.tensor([[3.0, 0.5]]))
        tensor([[1., 0.]])

    Source: Croce and Hein, Mind the Box: l1-APGD for Sparse Adversarial Attacks on Image
    Classifiers, 2021 (the projection); Tramèr and Boneh, Adversarial Training and Robustness for
    Multiple Perturbations, 2019 (the direction, SLIDE).
    """

    sparsity: float = 0.05

    def project(self, w: Tensor) -> Tensor:
        """Return the nearest point of the intersection.

        It is w with every |entry| lowered by the same number in each example, then clipped to the
        box.
        """
        size, kept = rows(w).abs(), rows(self.clipped(w)).abs()
        lowered = (size - _cut(size, kept, self.epsilon)).clamp(min=0).minimum(kept)
        return w.sign() * lowered.view_as(w)

    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the signs of the steepest entries that the box lets move, in equal parts."""
        signs = gradient.sign()
        free = self.clipped(w + signs) != w
        steep = rows(torch.where(free, gradient.abs(), 0))
        values, places = steep.topk(max(1, round(self.sparsity * steep.shape[1])), dim=1)
        moved = torch.zeros_like(steep).scatter(1, places, (values > 0).to(steep))
        return signs * (moved / moved.sum(1, keepdim=True).clamp(min=1)).view_as(w)

    def length(self, w: Tensor) -> Tensor:
        """Return the sum of |entries|."""
        return rows(w).abs().sum(1)

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw uniformly within the radius, then project onto the intersection.

        Of n + 1 exponential numbers divided by their sum, n with random signs are a point drawn
        uniformly in the ball.
        """
        count = rows(like).shape[1]
        twice = 2 * draw(torch.rand, like.new_empty(len(like), count + 1), generator)
        exponential = -torch.log1p(-twice.frac())
        inside = (2 * twice.floor() - 1) * exponential / exponential.sum(1, keepdim=True)
        return self.project(self.epsilon * inside[:, :count].view_as(like))


def _cut(size: Tensor, kept: Tensor, radius: float) -> Tensor:
    """Return a t, (batch, 1), at which Σ min(max(size - t, 0), kept) is min(radius, Σ kept).

    Convention: (batch, entries). The sum is piecewise linear in t. As t falls, an entry begins to
    grow at t = size and is whole at t = size - kept, so that sorting both finds the piece. Summing
    from large t on, where the sum is 0, loses nothing to cancellation.
    """
    points, order = torch.cat([size, size - kept], dim=1).sort(dim=1, descending=True)
    growing = torch.where(order < size.shape[1], 1, -1).cumsum(1)
    sums = pad((growing[:, :-1] * -points.diff(dim=1)).cumsum(1), (1, 0))  # at every point
    piece = (sums <= radius).sum(1, keepdim=True) - 1
    at, sum_at, slope = (part.gather(1, piece) for part in (points, sums, growing))
    return at - (radius - sum_at) / slope.clamp(min=1)
