"""Rotation, translation, scaling and shear: the global spatial threat."""

from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.grids import affine_grid, identity_affine
from moat.threats.base import threat
from moat.threats.gradient import StepSize
from moat.threats.moving import Warp
from moat.types import Grid, Images, Transform


@threat("rt")
class RT(Warp):
    """Move the whole image by one affine map: the global spatial threat of Eqs. 5 and 6.

    All six entries of the increment are searched. With epsilon near 1 the linear part can become
    singular or mirror the image; like the paper, moat does not prevent this.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = RT(epsilon=0.1, step_size=0.02, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: Engstrom et al., Exploring the Landscape of Spatial Robustness, 2019, with the affine
    parameters of Jaderberg et al., Spatial Transformer Networks, 2015.
    """

    epsilon: PositiveFloat  # matrix entries; a translation of 1 is half the image
    step_size: StepSize = None  # matrix entries

    def identity(self, x: Images) -> Transform:
        """Return no increment, shape (batch, 2, 3)."""
        return (x.new_zeros(len(x), 2, 3),)

    def grid(self, x: Images, w: Transform) -> Grid:
        """Return the affine grid of Eq. 5."""
        (matrix,) = w
        return affine_grid(identity_affine(x) + matrix, x)

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the l∞ ball of the six increments."""
        return (LinfBall(self.epsilon, self.step_size or self.epsilon),)
