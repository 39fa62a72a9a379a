"""The cases of the checks: a smooth network, and images that touch both ends of the box."""

import torch
import torch.nn.functional as F
from torch import nn

from moat.public import public
from moat.randomness import generator_of
from moat.types import Images, Labels


@public
def smooth_model(shape: tuple[int, int, int] = (1, 8, 8), classes: int = 10) -> nn.Sequential:
    """Return a float64 network in train mode that has a gradient everywhere.

    Batch norm and dropout tell on a search that leaves it in train mode. It is the same at every
    call, and takes nothing from the global random state.

    Example:
        >>> smooth_model()(examples(count=4)[0]).shape
        torch.Size([4, 10])
    """
    channel, height, width = shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(channel, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.Tanh(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(8 * height * width, classes),
        ).double()


@public
def examples(
    shape: tuple[int, int, int] = (1, 8, 8), classes: int = 10, count: int = 12
) -> tuple[Images, Labels]:
    """Return smooth float64 images, each black in places and white in others, and labels.

    They are the same at every call.

    Example:
        >>> x, y = examples((3, 8, 8), count=4)
        >>> x.shape, x.dtype
        (torch.Size([4, 3, 8, 8]), torch.float64)
    """
    generator = generator_of(1)
    channel, height, width = shape
    coarse = torch.rand(count, channel, 4, 4, generator=generator, dtype=torch.float64)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear")
    low, high = smooth.amin((2, 3), keepdim=True), smooth.amax((2, 3), keepdim=True)
    stretched = 1.3 * (smooth - low) / (high - low) - 0.15
    return stretched.clamp(0, 1), torch.randint(classes, (count,), generator=generator)
