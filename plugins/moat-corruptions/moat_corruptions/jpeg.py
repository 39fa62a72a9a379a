"""JPEG of several qualities, mixed."""

from typing import Annotated

from pydantic import Field

from moat.geometry.balls import Ball
from moat.threats import GradientThreat, StepSize, threat
from moat.types import Images, Transform
from moat_corruptions.jpeg_blocks import compressed
from moat_corruptions.shares import Share, ball_of_shares, mixed

Quality = Annotated[int, Field(ge=1, le=100)]


@threat("jpeg")
class JPEG(GradientThreat):
    """Mix the image with its JPEG versions, one share for each quality.

    JPEG rounds coefficients, and rounding has no gradient. So the compressed images are constant in
    w, and the search mixes them in, one after the other: the image moves by the share w_k of its
    way to its JPEG of the k-th quality. This is differentiable in w, and w_k = 1 in the last
    quality alone is JPEG of that quality. Everything is a mean of images in [0, 1].

    Compression is that of the standard: 8 × 8 cosine transforms, luminance and chrominance tables
    scaled by the quality, no subsampling of colours. Other images than those of three channels are
    treated as grey, each channel separately.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> x, y = examples(count=2)
        >>> hard = JPEG(epsilon=1.0, step_size=0.2, steps=3).perturb(smooth_model(), x, y)
        >>> hard.shape, bool((hard >= 0).all() and (hard <= 1).all())
        (torch.Size([2, 1, 8, 8]), True)

    Source: ITU-T T.81, Annex K; tables are scaled as the Independent JPEG Group's library does.
    """

    epsilon: Share  # share of the way to each compressed image
    step_size: StepSize = None  # the same
    qualities: Annotated[tuple[Quality, ...], Field(strict=False, min_length=1)] = (75, 50, 25, 10)

    def identity(self, x: Images) -> Transform:
        """Return the image as it is, shape (batch, quality)."""
        return (x.new_zeros(len(x), len(self.qualities)),)

    def apply(self, x: Images, w: Transform) -> Images:
        """Return the mixed images."""
        images, shares = x, w[0][..., None, None, None]
        for number, quality in enumerate(self.qualities):
            images = mixed(images, compressed(x, quality), shares[:, number])
        return images

    def balls(self, x: Images) -> tuple[Ball, ...]:
        """Return the shares from 0 to epsilon."""
        return (ball_of_shares(self.identity(x), self.epsilon, self.step_size),)
