"""Smooth flow towards a wrong class: the spatially transformed attack of Eq. 1."""

from typing import ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from moat.geometry.balls import Ball, draw, rows
from moat.geometry.grids import identity_grid
from moat.threats.base import threat
from moat.threats.gradient import StepSize
from moat.threats.moving import Warp
from moat.types import Grid, Images, PerExample, Transform

UNDER_THE_ROOT = 1e-12  # pixels²: so that equal neighbours have a gradient, of zero


class SmoothBall(Ball):
    """All flows whose displacements are at most epsilon, climbed along the gradient as it is.

    Sign steps would tear neighbours apart; here the entry with the largest gradient moves by one
    step, and all others in proportion.
    """

    def project(self, w: Tensor) -> Tensor:
        """Clamp."""
        return w.clamp(-self.epsilon, self.epsilon)

    def steepest(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Return the gradient divided by its largest |entry|."""
        largest = rows(gradient).abs().amax(1).view(-1, *[1] * (gradient.ndim - 1))
        return gradient / torch.where(largest > 0, largest, 1)

    def length(self, w: Tensor) -> Tensor:
        """Return the largest displacement."""
        return rows(w).abs().amax(1)

    def sample(self, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw every displacement uniformly within the radius."""
        return self.epsilon * (2 * draw(torch.rand, like, generator) - 1)


@threat("stadv")
class StAdv(Warp):
    """Move every pixel smoothly, towards a wrong class (Eq. 1) or away from the right one.

    The objective is the margin, cut off at kappa, less tau times the roughness of the flow: once an
    example is misclassified by kappa, the flow only becomes smoother. Eq. 1 is a minimum, so the
    best iterate is reported, not the last. Source: Xiao et al., Spatially Transformed Adversarial
    Examples, 2018, whose L-BFGS steps are gradient steps here.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = StAdv(step_size=0.02, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)
    """

    keeps_best: ClassVar[bool] = True
    loss: Literal["targeted-margin", "margin"] = "targeted-margin"
    step_size: StepSize = None  # grid units: how far the fastest pixel moves in a step
    tau: NonNegativeFloat = 0.05  # logits per pixel of roughness
    kappa: NonNegativeFloat = 0.0  # logits
    epsilon: PositiveFloat = 2.0  # grid units: by default the whole image, which bounds nothing

    def identity(self, x: Images) -> Transform:
        """Return no displacement, shape (batch, height, width, 2)."""
        return (x.new_zeros(len(x), *x.shape[2:], 2),)

    def grid(self, x: Images, w: Transform) -> Grid:
        """Return the place of every pixel, displaced."""
        (flow,) = w
        return identity_grid(x) + flow

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the bound on every displacement."""
        return (SmoothBall(self.epsilon, self.step_size or self.epsilon),)

    def objective(self, loss: PerExample, w: Transform) -> PerExample:
        """Return the margin, at most kappa, less tau times the roughness: minus Eq. 1."""
        (flow,) = w
        return loss.clamp(max=self.kappa) - self.tau * roughness(flow)


def roughness(flow: Grid) -> PerExample:
    """Return L_flow of Eq. 1, the differences of neighbouring displacements, in pixels.

    Every pixel adds the Euclidean distances of its displacement from those of its neighbours above,
    below, left and right, so each pair counts twice. Displacements come in grid units.
    """
    height, width = flow.shape[1:3]
    across, down = flow.unbind(-1)
    moved = torch.stack([across * (width / 2), down * (height / 2)], dim=-1)
    pairs = moved[:, 1:] - moved[:, :-1], moved[:, :, 1:] - moved[:, :, :-1]
    distances = [(pair.square().sum(-1) + UNDER_THE_ROOT).sqrt() for pair in pairs]
    return 2 * torch.stack([distance.flatten(1).sum(1) for distance in distances]).sum(0)
