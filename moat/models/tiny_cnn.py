"""A network that trains in seconds on a CPU."""

from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt
from torch import nn

from moat.models.base import Model, model


@model("tiny-cnn")
class TinyCNN(Model):
    """Three convolutions, a linear layer: for small images on small machines.

    Example:
        >>> network = TinyCNN().build((1, 8, 8), classes=10)
        >>> network(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    bears_channels_last: ClassVar[bool] = True
    width: PositiveInt = 12  # channels of the first convolution; the others have twice as many
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # before the linear layer

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network; every convolution keeps the size, two poolings halve it."""
        channel, height, width = shape
        first, rest = self.width, 2 * self.width
        return nn.Sequential(
            nn.Conv2d(channel, first, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, rest, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(rest, rest, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Dropout(self.dropout),
            nn.Linear(rest * _quarter(height) * _quarter(width), classes),
        )


def _quarter(side: int) -> int:
    return -(-side // 4)
