"""Pixel noise: the sensitivity-based threat."""

from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.threats.base import GradientThreat, threat
from moat.types import Images, Transform


@threat("pgd")
class PGD(GradientThreat):
    """Add a little to every pixel, within epsilon and within [0, 1].

    Source: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, 2018.
    """

    epsilon: PositiveFloat  # intensity; the image spans [0, 1]
    step_size: PositiveFloat  # intensity

    def identity(self, x: Images) -> Transform:
        """Return no noise."""
        return (x.new_zeros(x.shape),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return x + w; the ball keeps it in [0, 1]."""
        (noise,) = w
        return x + noise

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the l∞ ball, cut by the image box."""
        return (LinfBall(self.epsilon, self.step_size, low=-x, high=1 - x),)
