"""One gain and one bias for each channel: the photometric threat."""

import torch
from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.threats import GradientThreat, threat
from moat.types import Images, Transform


@threat("photometric")
class Photometric(GradientThreat):
    """Change brightness and contrast: (1 + gain) x + bias, with one pair for each channel.

    The pair is searched through its effect on the channel's darkest value m and brightest M: w
    moves m to m + dark and M to M + bright, and every value between moves in proportion. So gain =
    (bright - dark) / (M - m) and bias = dark - gain m.

    Why not search gain and bias themselves: whether an image stays in [0, 1] depends on both at
    once, which no ball of one block can say, and a clamp in `apply` would kill the gradient of
    every pixel it touches. A pixel is a convex combination of m + dark and M + bright: it stays
    in [0, 1] exactly when these two do, so two balls with the image box hold it, and they hold
    every gain and bias that keeps the image in the box. No pixel moves by more than the larger
    epsilon. Contrast can be reversed only where the epsilons add up to more than M - m. A channel
    of one value has a bias only.
    """

    dark_epsilon: PositiveFloat  # intensity; how far the darkest value of a channel may move
    dark_step_size: PositiveFloat  # intensity
    bright_epsilon: PositiveFloat  # intensity; how far the brightest value may move
    bright_step_size: PositiveFloat  # intensity

    def identity(self, x: Images) -> Transform:
        """Return no movement of either end, twice (batch, channel, 1, 1)."""
        ends = x.new_zeros(*x.shape[:2], 1, 1)
        return ends, ends

    def apply(self, x: Images, w: Transform) -> Images:
        """Return x moved by dark at its darkest, by bright at its brightest, linear between."""
        dark, bright = w
        return x + torch.lerp(dark, bright, _height(x))

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return one l∞ ball for each end, cut by the image box."""
        low, high = _ends(x)
        return (
            LinfBall(self.dark_epsilon, self.dark_step_size, low=-low, high=1 - low),
            LinfBall(self.bright_epsilon, self.bright_step_size, low=-high, high=1 - high),
        )


def _ends(x: Images) -> tuple[Images, Images]:
    """Return the darkest and the brightest value of every channel, (batch, channel, 1, 1)."""
    return x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)


def _height(x: Images) -> Images:
    """Return where each pixel stands between its channel's ends: 0 the darkest, 1 the brightest."""
    low, high = _ends(x)
    return (x - low) / torch.where(high > low, high - low, 1)
