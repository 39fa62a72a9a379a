"""Shares: numbers from 0 to 1, by which an image moves towards another."""

from typing import Annotated

from pydantic import Field

from moat.geometry.balls import LinfBall
from moat.threats import StepSize
from moat.types import Images, Transform

Share = Annotated[float, Field(gt=0, le=1)]


def ball_of_shares(identity: Transform, epsilon: float, step_size: StepSize) -> LinfBall:
    """Return the shares from 0 to epsilon, of the shape of the identity's one block."""
    (nothing,) = identity
    return LinfBall(epsilon, step_size or epsilon, low=nothing, high=nothing + 1)


def mixed(x: Images, other: Images, share: Images) -> Images:
    """Return x moved by a share of its way to another image.

    Convention: `share` has the batch first and broadcasts to the images. For shares in [0, 1] each
    pixel stays between the two, so the image stays in [0, 1].

    Example:
        >>> import torch
        >>> black, white = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
        >>> mixed(black, white, torch.tensor([[[[0.25]]]])).item()
        0.25
    """
    return x + share * (other - x)
