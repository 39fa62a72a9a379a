"""The promise of a gradient threat that `apply` and the balls treat each example by itself.

Example:
    >>> from moat.threats import PGD
    >>> check_rows(PGD(epsilon=0.1, step_size=0.02), torch.rand(3, 1, 8, 8, dtype=torch.float64))
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from moat.public import public
from moat.randomness import generator_of
from moat.testing.breach import breach_of
from moat.testing.gradient_threats import FLOAT64_ROUNDING
from moat.threats import GradientThreat
from moat.types import Images, Transform

SCALES = (0.05, 3.0)  # of the noise in w: inside of most balls, and at their border


@public
def check_rows(threat: GradientThreat, x: Images) -> None:
    """Hold T_w(x) of each example alone to that in its batch, for random w in the balls.

    Projections and steps of the balls are compared in the same way.

    Example:
        >>> from moat.threats import PGD
        >>> images = torch.rand(3, 1, 8, 8, dtype=torch.float64)
        >>> check_rows(PGD(norm="l2", epsilon=1.0, step_size=0.5), images)
    """
    for scale in SCALES:
        noise = tuple(_noise(block, scale) for block in threat.identity(x))
        together = dict(_results(threat, x, noise))
        for row in range(len(x)):
            only = slice(row, row + 1)
            alone = _results(threat, x[only], tuple(block[only] for block in noise))
            for what, found in alone:
                expected = together[what][only]
                off = (found - expected).abs().max().item() if found.numel() else 0.0
                assert off < FLOAT64_ROUNDING, breach_of(
                    threat,
                    f"{what} of an example depends on the others in its batch: alone it differs "
                    f"by up to {off:.3g}. Take means, norms and extremes over the dimensions of an "
                    "example, never over the first",
                )


def _results(threat: GradientThreat, x: Images, noise: Transform) -> Iterator[tuple[str, Tensor]]:
    """Yield what is compared, by its name: projections, steps and the images."""
    w = []
    for number, (ball, block, moved) in enumerate(
        zip(threat.balls(x), threat.identity(x), noise, strict=True)
    ):
        w.append(ball.project(block + moved))
        yield f"the projection to the ball of block {number}", w[-1].clone()
        yield f"the step in the ball of block {number}", ball.step(block.clone(), moved.clone())
    with torch.no_grad():
        images = threat.apply(x.clone(), tuple(w))
    yield "the image from apply", images  # not within: an iterator that is left would keep no_grad


def _noise(like: Tensor, scale: float) -> Tensor:
    return scale * torch.randn(like.shape, generator=generator_of(7), dtype=like.dtype)
