"""Balls: the constraint on one block of `w`, with the image box where it applies."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from moat.geometry.draws import draw as draw
from moat.public import public


@public
@dataclass(frozen=True, eq=False)
class Ball(ABC):
    """The search space of one block of `w`: norm ≤ epsilon and, if given, low ≤ w ≤ high.

    Convention: w has the batch first, then any shape, and each example has its own norm.
    `step_size` is the length of one step of Eq. 9 in this block: the blocks of one threat may climb
    at different rates. Both are in the block's unit. The box contains 0; with `low = -x` and `high
    = 1 - x` the perturbed image x + w stays in [0, 1].

    Example:
        >>> w = torch.zeros(1, 2)
        >>> LinfBall(0.1, 0.02).steepest(w, torch.tensor([[3.0, -1.0]]))
        tensor([[ 1., -1.]])
    """

    epsilon: float
    step_size: float
    low: Tensor | None = None
    high: Tensor | None = None

    @abstractmethod
    def project(self, w: Tensor) -> Tensor:
        """Return a member close to w, or w itself if it is a member."""

    @abstractmethod
    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the direction of steepest ascent at the member w, of unit norm.

        It is 0 for an example without a gradient.
        """

    @abstractmethod
    def length(self, w: Tensor) -> Tensor:
        """Return the norm of w for each example, shape (batch,)."""

    @abstractmethod
    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return a random member, of the shape, type and device of `like`."""

    def scaled(self, share: float) -> "Ball":
        """Return the ball with radius and step size times `share`; the image box stays."""
        return replace(self, epsilon=share * self.epsilon, step_size=share * self.step_size)

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the next iterate: a step of steepest ascent, then the projection (Eq. 9)."""
        return self.project(w + self.step_size * self.steepest(w, gradient))

    def clipped(self, w: Tensor) -> Tensor:
        """Return w clamped to the box."""
        return w if self.low is None and self.high is None else w.clamp(self.low, self.high)


class LinfBall(Ball):
    """All w with every |entry| at most epsilon, in the box.

    Example:
        >>> LinfBall(epsilon=0.1, step_size=0.02).project(torch.tensor([[0.3, -0.05]]))
        tensor([[ 0.1000, -0.0500]])
    """

    def project(self, w: Tensor) -> Tensor:
        """Clamp twice: the intersection of two boxes is a box."""
        return self.clipped(w.clamp(-self.epsilon, self.epsilon))

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Take the step in one operation: a sign times its length is exact."""
        if type(self).steepest is not LinfBall.steepest:  # a ball of one's own
            return super().step(w, gradient)
        return self.project(torch.add(w, gradient.sign(), alpha=self.step_size))

    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the sign; an entry without a gradient stays where it is."""
        return gradient.sign()

    def length(self, w: Tensor) -> Tensor:
        """Return the largest |entry|."""
        return rows(w).abs().amax(1)

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw uniformly within the radius, then project onto the box, as PGD usually starts."""
        return self.project(self.epsilon * (2 * draw(torch.rand, like, generator) - 1))


@public
def rows(w: Tensor) -> Tensor:
    """Return w as (batch, entries), even for an empty batch or examples of one number.

    Example:
        >>> rows(torch.zeros(5, 3, 8, 8)).shape
        torch.Size([5, 192])
    """
    return w.unsqueeze(-1).flatten(1)
