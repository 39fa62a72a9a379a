"""The Euclidean ball."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from moat.geometry.balls import Ball, draw, rows


class L2Ball(Ball):
    """All w of Euclidean length at most epsilon, in the box.

    Example:
        >>> L2Ball(epsilon=1.0, step_size=0.1).project(torch.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """

    def project(self, w: Tensor) -> Tensor:
        """Shorten, then clip: a member, but if both bind not always the nearest one."""
        flat = rows(w)
        share = (self.epsilon / vector_norm(flat, dim=1, keepdim=True)).clamp(max=1)
        return self.clipped((share * flat).view_as(w))

    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the gradient divided by its length."""
        flat = rows(gradient)
        largest = flat.abs().amax(1, keepdim=True)
        # The squares of what a confident model leaves of a gradient underflow in float32.
        flat = flat / torch.where(largest > 0, largest, 1)
        unit: Tensor = flat / vector_norm(flat, dim=1, keepdim=True).clamp(min=1)
        return unit.view_as(gradient)

    def length(self, w: Tensor) -> Tensor:
        """Return the Euclidean length."""
        length: Tensor = vector_norm(rows(w), dim=1)
        return length

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw uniformly within the radius, then project onto the box.

        Of a point drawn uniformly on the sphere in n + 2 dimensions, n coordinates are a point
        drawn uniformly in the ball.
        """
        count = rows(like).shape[1]
        drawn = draw(torch.randn, like.new_empty(len(like), count + 2), generator)
        inside = drawn[:, :count] / vector_norm(drawn, dim=1, keepdim=True)
        return self.project(self.epsilon * inside.view_as(like))
