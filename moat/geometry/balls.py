"""Balls: the constraint on one block of `w`, and where it applies the image box."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor


class Ball(ABC):
    """The set one block of `w` is searched in.

    `step_size` is the length of one step of Eq. 9 in this block, in the block's own unit: the
    blocks of one threat may climb at different rates.
    """

    step_size: float

    @abstractmethod
    def project(self, w: Tensor) -> Tensor:
        """Return the nearest member of the ball; `w` has the batch first."""

    @abstractmethod
    def steepest(self, gradient: Tensor) -> Tensor:
        """Return the direction of unit norm that climbs fastest along the gradient."""

    @abstractmethod
    def scaled(self, share: float) -> "Ball":
        """Return the ball with radius and step size times `share`; the image box stays."""

    @abstractmethod
    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return a random member, of the shape, type and device of `like`."""

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the next iterate: a step of steepest ascent, then the projection (Eq. 9)."""
        return self.project(w + self.step_size * self.steepest(gradient))


@dataclass(frozen=True, eq=False)
class LinfBall(Ball):
    """All w with every |entry| at most epsilon and, where given, low ≤ w ≤ high.

    With `low = -x` and `high = 1 - x` the perturbed image x + w stays in [0, 1]; the bounds must
    contain 0. The intersection of two boxes is a box, so the projection is two clamps.
    """

    epsilon: float
    step_size: float
    low: Tensor | None = None
    high: Tensor | None = None

    def project(self, w: Tensor) -> Tensor:
        """Clamp to the radius, then to the box."""
        w = w.clamp(-self.epsilon, self.epsilon)
        return w if self.low is None and self.high is None else w.clamp(self.low, self.high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return the sign; an entry without a gradient stays where it is."""
        return gradient.sign()

    def scaled(self, share: float) -> "LinfBall":
        """Return the ball with radius and step size times `share`, in the same box."""
        return replace(self, epsilon=share * self.epsilon, step_size=share * self.step_size)

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw uniformly within the radius, then project onto the box, as PGD usually starts."""
        return self.project(self.epsilon * (2 * draw(torch.rand, like, generator) - 1))


def draw(sampler: object, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw with torch.rand or torch.randn in the shape, type and device of `like`.

    The numbers are made where the generator lives, so that a CPU generator gives the same
    perturbation on every device.
    """
    device = like.device if generator is None else generator.device
    drawn: Tensor = sampler(like.shape, generator=generator, dtype=like.dtype, device=device)  # type: ignore[operator]
    return drawn.to(like.device)
