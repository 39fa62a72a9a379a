"""Blur with four strengths, one for each direction."""

from typing import Annotated

import torch.nn.functional as F
from pydantic import Field

from moat.geometry.balls import Ball
from moat.threats import GradientThreat, StepSize, threat
from moat.types import Images, Transform
from moat_corruptions.shares import Share, ball_of_shares, mixed

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows, columns: across, down, both diagonals


@threat("blur")
class Blur(GradientThreat):
    """Blur along four lines, across, down and both diagonals, each with a strength of its own.

    In each of `passes` passes, and for each direction d in turn, a pixel moves by the share w_d of
    its way to the mean of its two neighbours along d. That is diffusion: for equal shares the
    kernel approaches a Gaussian, and its variance along d is passes · w_d, in pixels², the
    diagonals' in both coordinates. One large share is motion blur. Beyond the edge pixels repeat.

    Each pass takes means of pixels, so the image stays in [0, 1]. A Gaussian of width σ itself has
    no gradient at σ = 0, where a search begins; this has one in every direction.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = Blur(epsilon=0.5, step_size=0.1, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: the corruptions are those of Hendrycks and Dietterich, Benchmarking Neural Network
    Robustness to Common Corruptions and Perturbations, 2019; diffusion as blur is that of
    Koenderink, The Structure of Images, 1984.
    """

    epsilon: Share  # share of a pixel's way to its neighbours, a pass and direction
    step_size: StepSize = None  # the same
    passes: Annotated[int, Field(ge=1, le=64)] = 3  # the blur reaches as many pixels

    def identity(self, x: Images) -> Transform:
        """Return no blur, shape (batch, direction)."""
        return (x.new_zeros(len(x), len(DIRECTIONS)),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return the images after `passes` passes of diffusion."""
        shares = w[0][..., None, None, None]
        for _ in range(self.passes):
            for number, (down, across) in enumerate(DIRECTIONS):
                x = mixed(x, neighbours(x, down, across), shares[:, number])
        return x

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the shares from 0 to epsilon."""
        return (ball_of_shares(self.identity(x), self.epsilon, self.step_size),)


def neighbours(x: Images, down: int, across: int) -> Images:
    """Return for each pixel the mean of the two at a distance, on either side.

    Example:
        >>> import torch
        >>> neighbours(torch.tensor([[[[0.0, 0.0, 1.0]]]]), 0, 1)
        tensor([[[[0.0000, 0.5000, 0.5000]]]])
    """
    height, width = x.shape[2:]
    wide = F.pad(x, (1, 1, 1, 1), mode="replicate")

    def at(rows: int, columns: int) -> Images:
        return wide[..., 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    return (at(down, across) + at(-down, -across)) / 2
