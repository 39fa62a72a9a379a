"""Optical flow: the local spatial threat."""

from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.grids import identity_grid
from moat.threats.base import threat
from moat.threats.gradient import StepSize
from moat.threats.moving import Warp
from moat.types import Grid, Images, Transform


@threat("flow")
class Flow(Warp):
    """Move every pixel by a small displacement of its own: the local spatial threat of Eq. 2.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = Flow(epsilon=0.1, step_size=0.02, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: Xiao et al., Spatially Transformed Adversarial Examples, 2018, untargeted and bounded
    as the paper does.
    """

    epsilon: PositiveFloat  # grid units: the image is 2 wide
    step_size: StepSize = None  # grid units

    def identity(self, x: Images) -> Transform:
        """Return no displacement, shape (batch, height, width, 2)."""
        return (x.new_zeros(len(x), *x.shape[2:], 2),)

    def grid(self, x: Images, w: Transform) -> Grid:
        """Return the place of every pixel, displaced."""
        (flow,) = w
        return identity_grid(x) + flow

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the l∞ ball of the displacements."""
        return (LinfBall(self.epsilon, self.step_size or self.epsilon),)
