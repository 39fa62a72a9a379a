"""Fog of varying thickness."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from moat.geometry.balls import Ball
from moat.threats import GradientThreat, StepSize, threat
from moat.types import Images, Transform
from moat_corruptions.shares import Share, ball_of_shares, mixed


@threat("fog")
class Fog(GradientThreat):
    """Blend the image with a light, smoothly varying over it: x̃ = (1 − t) x + t · light.

    The thickness t of the fog is interpolated bilinearly between `points` × `points` control points
    over the image, each from 0 to epsilon, and is the same for all channels. With `light = 1` it is
    fog, with 0.5 a loss of contrast, with 0 dusk. Every pixel lies between itself and the light, so
    the image stays in [0, 1].

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = Fog(epsilon=0.5, step_size=0.1, steps=3).perturb(smooth_model(), x, y)
        >>> bool((hard >= x).all() and (hard <= 1).all())
        True

    Source: the model of haze is that of Koschmieder, Theorie der horizontalen Sichtweite, 1924; the
    corruption is one of Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common
    Corruptions and Perturbations, 2019.
    """

    epsilon: Share  # share of the light
    step_size: StepSize = None  # the same
    points: Annotated[int, Field(ge=1, le=64)] = 3  # control points a side
    light: Annotated[float, Field(ge=0, le=1)] = 1.0  # intensity

    def identity(self, x: Images) -> Transform:
        """Return no fog, shape (batch, 1, points, points)."""
        return (x.new_zeros(len(x), 1, self.points, self.points),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return the images in the fog."""
        down, across = (hats(side, self.points, x) for side in x.shape[2:])
        light = torch.full_like(x, self.light)
        return mixed(x, light, down @ w[0] @ across.mT)

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the thicknesses from 0 to epsilon."""
        return (ball_of_shares(self.identity(x), self.epsilon, self.step_size),)


def hats(side: int, points: int, like: Tensor) -> Tensor:
    """Return the weight of each control point at each pixel of a side, (side, points).

    The first control point lies on the first pixel and the last on the last; rows sum to 1.

    Example:
        >>> hats(3, 2, torch.zeros(()))
        tensor([[1.0000, 0.0000],
                [0.5000, 0.5000],
                [0.0000, 1.0000]])
    """
    pixels = torch.arange(side, dtype=like.dtype, device=like.device)
    knots = torch.arange(points, dtype=like.dtype, device=like.device)
    places = pixels * ((points - 1) / max(side - 1, 1))
    return (1 - (places[:, None] - knots).abs()).clamp(min=0)
