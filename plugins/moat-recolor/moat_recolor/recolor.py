"""The functional threat of ReColorAdv: every colour moves, and equal colours move alike."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat

from moat.geometry.balls import Ball, LinfBall
from moat.threats import GradientThreat, StepSize, threat
from moat.types import Images, PerExample, Transform
from moat_recolor.colour_grid import control_colours, interpolated, require_channels, roughness


@threat("recolor")
class Recolor(GradientThreat):
    """Map each colour to one nearby: one smooth function of colours for the whole image.

    A grid of `points` control points a channel spans the colours [0, 1]^C. Control point k, of the
    colour c_k, moves by w_k with |w_k| ≤ epsilon in every channel; a colour c between control
    points moves by their multilinear interpolation, f(c) = c + Σ λ_k(c) w_k. The objective is the
    loss less `smoothness` times the mean distance between the movements of adjacent control points,
    so that similar colours move alike.

    f(c) is a mean of the colours c_k + w_k. So the image stays in [0, 1] if each of these does: the
    ball is cut there, and nothing is clamped. The colours are those of the images, RGB or grey,
    where the paper takes CIELUV or RGB.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples((3, 8, 8), count=2)
        >>> threat = Recolor(epsilon=0.06, step_size=0.02, steps=3)
        >>> hard = threat.perturb(smooth_model((3, 8, 8)), x, y)
        >>> hard.shape, bool((hard - x).abs().max() <= 0.06 + 1e-6)
        (torch.Size([2, 3, 8, 8]), True)

    Source: Laidlaw and Feizi, Functional Adversarial Attacks, 2019, Sections 3 and 4.
    """

    epsilon: PositiveFloat  # intensity; how far a channel of a colour may move
    step_size: StepSize = None  # intensity
    points: Annotated[int, Field(ge=2, le=64)] = 5  # control points a channel
    smoothness: NonNegativeFloat = 0.05  # loss per epsilon of mean distance between neighbours

    def identity(self, x: Images) -> Transform:
        """Return no movement, shape (batch, channel, points, ..., points)."""
        channels = require_channels(x.shape[1])
        return (x.new_zeros(len(x), channels, *[self.points] * channels),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return every pixel's colour, moved as its neighbours on the grid are."""
        return x + interpolated(w[0], x)

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the l∞ ball of the control points, cut where they would leave [0, 1]."""
        colours = control_colours(self.points, x)
        step_size = self.step_size or self.epsilon
        return (LinfBall(self.epsilon, step_size, low=-colours, high=1 - colours),)

    def objective(self, loss: PerExample, w: Transform) -> PerExample:
        """Return the loss less the roughness of the map."""
        return loss - self.smoothness / self.epsilon * roughness(w[0])
