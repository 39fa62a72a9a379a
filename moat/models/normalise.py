"""The first layer of a network: pixels in [0, 1] to the range of the other layers."""

from collections.abc import Sequence

import torch
from torch import nn

from moat.public import public
from moat.types import Images


@public
class Normalise(nn.Module):
    """Subtract a mean from each channel and divide by a standard deviation.

    Convention: both numbers in intensities, where an image spans [0, 1]. Grey images (one channel)
    before several numbers are read as that many equal channels.

    The numbers come from the recipe and are not in the state dict, so the state dict of a plain
    network fits.

    Example:
        >>> layer = Normalise([0.5, 0.5, 0.0], [0.5, 0.25, 1.0])
        >>> layer(torch.ones(1, 1, 1, 1)).flatten().tolist()
        [1.0, 2.0, 1.0]
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, x: Images) -> torch.Tensor:
        """Return (batch, numbers, height, width); broadcasting repeats a grey image."""
        return (x - self.mean) / self.std

    def extra_repr(self) -> str:
        """Show the numbers."""
        mean, std = (values.flatten().tolist() for values in (self.mean, self.std))
        return f"mean={mean}, std={std}"
