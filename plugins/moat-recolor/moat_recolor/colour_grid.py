"""A grid of control points in the space of colours."""

import torch
import torch.nn.functional as F
from torch import Tensor

from moat.errors import ModelError
from moat.types import Images, PerExample

MOST_CHANNELS = 3
UNDER_THE_ROOT = 1e-12  # intensity²: so that equal movements have a gradient, of zero


def require_channels(channels: int) -> int:
    """Return the number of channels; raise ModelError if the space of colours is too large."""
    if channels > MOST_CHANNELS:
        raise ModelError(
            f"recolor takes images of 1 to {MOST_CHANNELS} channels, not {channels}: its grid has "
            "points^channels control points.",
            hint="Leave the threat out for these images.",
        )
    return channels


def control_colours(points: int, like: Images) -> Tensor:
    """Return the colours of the control points, (1, channel, points, ..., points).

    Example:
        >>> control_colours(3, torch.zeros(2, 1, 8, 8)).flatten().tolist()
        [0.0, 0.5, 1.0]
    """
    channels = require_channels(like.shape[1])
    along = torch.arange(points, dtype=like.dtype, device=like.device) / (points - 1)
    return torch.stack(torch.meshgrid(*[along] * channels, indexing="ij"))[None]


def interpolated(movement: Tensor, x: Images) -> Images:
    """Return the movement of every pixel, interpolated between the control points around it.

    Convention: channel i of the image runs along axis i of the grid; a movement has the shape
    (batch, channel, points, ..., points).

    Example:
        >>> x = torch.rand(1, 3, 4, 4)
        >>> torch.allclose(interpolated(control_colours(5, x), x), x)
        True
    """
    channels = x.shape[1]
    missing = MOST_CHANNELS - channels
    volume = movement[(..., *[None] * missing)]
    # grid_sample wants the last axis of the volume first
    places = F.pad(2 * x.flatten(2).movedim(1, -1) - 1, (0, missing)).flip(-1)
    read = F.grid_sample(volume, places[:, None, None], padding_mode="border", align_corners=True)
    return read[:, :, 0, 0].unflatten(-1, x.shape[2:])


def roughness(movement: Tensor) -> PerExample:
    """Return the mean distance between the movements of adjacent control points, (batch,).

    Example:
        >>> even, torn = torch.ones(1, 1, 3), torch.tensor([[[0.0, 0.3, 0.0]]])
        >>> roughness(torch.cat([even, torn]))
        tensor([1.0000e-06, 3.0000e-01])
    """
    distances = [
        movement.diff(dim=axis).square().sum(1).add(UNDER_THE_ROOT).sqrt().flatten(1)
        for axis in range(2, movement.ndim)
    ]
    return torch.cat(distances, 1).mean(1)
