"""Flow and affine motion in one sampling grid: the integrated spatial threat."""

from pydantic import PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.grids import affine_grid, identity_affine
from moat.threats.base import threat
from moat.threats.gradient import StepSize
from moat.threats.moving import Warp
from moat.types import Grid, Images, Transform


@threat("integrated")
class Integrated(Warp):
    """Move the whole image and each pixel in addition: the integrated threat of Eqs. 7 to 9.

    The flow is added after the affine map, in source coordinates, and the image is resampled once.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> both = Integrated(
        ...     flow_epsilon=0.1, flow_step_size=0.02, rt_epsilon=0.1, rt_step_size=0.02
        ... )
        >>> both.perturb(smooth_model(), x, y).shape
        torch.Size([2, 1, 8, 8])
    """

    flow_epsilon: PositiveFloat  # grid units: the image is 2 wide
    flow_step_size: StepSize = None  # grid units
    rt_epsilon: PositiveFloat  # matrix entries
    rt_step_size: StepSize = None  # matrix entries

    def identity(self, x: Images) -> Transform:
        """Return no displacement (batch, height, width, 2) and no increment (batch, 2, 3)."""
        return x.new_zeros(len(x), *x.shape[2:], 2), x.new_zeros(len(x), 2, 3)

    def grid(self, x: Images, w: Transform) -> Grid:
        """Return T(G) of Eq. 7."""
        flow, matrix = w
        return affine_grid(identity_affine(x) + matrix, x) + flow

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return one l∞ ball for each block: w is clipped by ε = [ε_F, ε_RT] (Eq. 9)."""
        return (
            LinfBall(self.flow_epsilon, self.flow_step_size or self.flow_epsilon),
            LinfBall(self.rt_epsilon, self.rt_step_size or self.rt_epsilon),
        )
