"""The embedded data set: 1,797 handwritten digits of 8 x 8 pixels."""

from importlib import resources
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field

from moat.data.base import Data, DataSet, Split, dataset


@dataset("digits")
class Digits(DataSet):
    """The UCI optical digits test set, inside the package: no download, ever.

    A fixed stratified split puts a fifth of every class aside for testing. `size` enlarges the
    images bilinearly, for spatial threats that need more than eight pixels a side.

    Example:
        >>> data = Digits().load()
        >>> len(data.train), len(data.test), data.test.images.shape
        (1438, 359, torch.Size([359, 1, 8, 8]))

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, 1998, doi:10.24432/C50P49, licence CC BY 4.0. `scripts/build_digits.py`
    rebuilds the file.
    """

    channels: ClassVar[int | None] = 1

    size: Annotated[int, Field(ge=8, le=64)] = 8  # pixels a side

    def load(self, cache: Path | None = None) -> Data:
        """Return 1,438 training and 359 test images of one channel, ten classes."""
        with resources.files("moat.data").joinpath("digits.npz").open("rb") as file:
            stored = dict(np.load(file))
        intensities = torch.from_numpy(stored["images"]).float()[:, None] / 16
        if self.size != 8:
            intensities = F.interpolate(intensities, size=(self.size, self.size), mode="bilinear")
        whole = Split(
            intensities.mul(255).round().to(torch.uint8),
            torch.from_numpy(stored["labels"]).long(),
            torch.arange(len(stored["labels"]), device="cpu"),
        )
        test = torch.from_numpy(stored["test"])
        return Data(
            whole.take((~test).nonzero().squeeze(1)),
            whole.take(test.nonzero().squeeze(1)),
            tuple(str(digit) for digit in range(10)),
        )
