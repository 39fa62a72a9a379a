"""The network of the CIFAR studies."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import relu

from moat.errors import ModelError
from moat.models.base import Model, model
from moat.models.normalise import Normalise


@model("preact-resnet18")
class PreActResNet18(Model):
    """ResNet-18 with norm and ReLU before each convolution, group norm, a stem for small images.

    Four stages of two blocks, `width` to 8 · `width` channels, the last three at half the side of
    the stage before; a 3 x 3 stem that keeps the side. Images of any size, from 8 pixels a side on.

    Example:
        >>> network = PreActResNet18(width=8, groups=4).build((3, 32, 32), classes=10)
        >>> network(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])

    Source: He et al., Identity Mappings in Deep Residual Networks, 2016, Section 4 (the blocks);
    Wu and He, Group Normalization, 2018.
    """

    width: PositiveInt = 64  # channels of the first stage; each further one has twice as many
    groups: PositiveInt = 32  # of channels that are normalised together; divides the width
    mean: Annotated[tuple[float, ...], Field(strict=False)] = (0.4914, 0.4822, 0.4465)  # CIFAR-10's
    std: Annotated[tuple[PositiveFloat, ...], Field(strict=False)] = (0.2470, 0.2435, 0.2616)

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network; raise ModelError where mean, std or groups do not fit."""
        channel = shape[0]
        if not len(self.mean) == len(self.std) == channel:
            raise ModelError(
                f"the images have {channel} channel(s), and the model {self.name!r} has "
                f"{len(self.mean)} mean(s) and {len(self.std)} std(s) for them.",
                hint="Give model.mean and model.std one number for each channel.",
            )
        if self.width % self.groups:
            raise ModelError(
                f"{self.width} channels cannot be cut into {self.groups} equal groups.",
                hint="Choose model.groups that divides model.width.",
            )
        widths = [self.width * 2**stage for stage in range(4)]
        blocks: list[nn.Module] = []
        inputs = self.width
        for width in widths:
            stride = 1 if width == self.width else 2
            blocks += [_Block(inputs, width, stride, self.groups)]
            blocks += [_Block(width, width, 1, self.groups)]
            inputs = width
        return nn.Sequential(
            Normalise(self.mean, self.std),
            _conv(channel, self.width, 3),
            *blocks,
            nn.GroupNorm(self.groups, inputs),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(inputs, classes),
        )


class _Block(nn.Module):
    """x + F(x), where F is norm, ReLU, convolution, twice.

    Where the shape changes, a 1 x 1 convolution of the first ReLU stands for x.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, inputs), _conv(inputs, outputs, 3, stride)
        self.norm2, self.conv2 = nn.GroupNorm(groups, outputs), _conv(outputs, outputs, 3)
        self.shortcut = _conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, outputs, height / stride, width / stride)."""
        opened = relu(self.norm1(x))
        kept = x if self.shortcut is None else self.shortcut(opened)
        change: Tensor = self.conv2(relu(self.norm2(self.conv1(opened))))
        return kept + change


def _conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    # No bias: the norm that follows would take it away again.
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
