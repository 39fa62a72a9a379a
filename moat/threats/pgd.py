"""Pixel noise: the sensitivity-based threat."""

from typing import Literal

from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.l1_ball import L1Ball
from moat.geometry.l2_ball import L2Ball
from moat.threats.base import threat
from moat.threats.gradient import GradientThreat, StepSize
from moat.types import Images, Transform

BALLS: dict[str, type[Ball]] = {"linf": LinfBall, "l2": L2Ball, "l1": L1Ball}


@threat("pgd")
class PGD(GradientThreat):
    """Add noise to the pixels, of length epsilon in a norm and within [0, 1].

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = PGD(epsilon=8 / 255, step_size=2 / 255, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, 2018.
    """

    epsilon: PositiveFloat  # intensity, as a length in the norm; a pixel spans [0, 1]
    step_size: StepSize = None  # intensity, as a length in the norm
    norm: Literal["linf", "l2", "l1"] = "linf"  # of the noise on all pixels and channels

    def identity(self, x: Images) -> Transform:
        """Return no noise."""
        return (x.new_zeros(x.shape),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return x + w; the ball keeps it in [0, 1]."""
        (noise,) = w
        return x + noise

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the ball of the norm, cut by the image box."""
        return (BALLS[self.norm](self.epsilon, self.step_size or self.epsilon, low=-x, high=1 - x),)
