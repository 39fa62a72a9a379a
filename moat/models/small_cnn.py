"""The small network of the MNIST studies."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from moat.errors import ModelError
from moat.models.base import Model, model


@model("small-cnn")
class SmallCNN(Model):
    """Four convolutions and three linear layers; the last starts at zero.

    The convolutions start from Kaiming's normal distribution with biases at zero, as in the source;
    with `initialisation = "torch"` from torch's own, 2.4 times smaller: under a strong threat such
    a network may stay a constant guess.

    Images need at least 16 pixels a side: the convolutions are not padded.

    Example:
        >>> network = SmallCNN().build((1, 28, 28), classes=10)
        >>> network(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])

    Source: Zhang et al., Theoretically Principled Trade-off between Robustness and Accuracy, 2019
    (the network of their MNIST experiments).
    """

    bears_channels_last: ClassVar[bool] = True
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    initialisation: Literal["kaiming", "torch"] = "kaiming"  # of the convolutions

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network for images of at least 16 x 16 pixels."""
        channel, height, width = shape
        rows, columns = (((side - 4) // 2 - 4) // 2 for side in (height, width))
        if min(height, width) < 16:
            raise ModelError(
                f"the model 'small-cnn' needs images of at least 16 x 16 pixels, not "
                f"{height} x {width}.",
                hint="Use 'tiny-cnn', or enlarge the images with data.size.",
            )
        last = nn.Linear(200, classes)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        network = nn.Sequential(
            nn.Conv2d(channel, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * rows * columns, 200),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(200, 200),
            nn.ReLU(),
            last,
        )
        if self.initialisation == "kaiming":
            for layer in network:
                if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                    nn.init.kaiming_normal_(layer.weight)
                    nn.init.zeros_(layer.bias)
        return network
