"""MNIST, from the original IDX files."""

from pathlib import Path

import torch
from torchvision import datasets

from moat.data.base import Data, DataSet, Split, dataset, find_root
from moat.errors import DataError


@dataset("mnist")
class MNIST(DataSet):
    """70,000 handwritten digits of 28 x 28 pixels, 60,000 of them for training.

    `root` is the folder that holds MNIST/raw/*-ubyte, torchvision's layout; without it the folder
    that the variable MOAT_DATA names, else ./data. `download` fetches the files where they are
    missing.

    Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.
    """

    root: Path | None = None
    download: bool = False

    def load(self) -> Data:
        """Read both splits; raise DataError where a file is missing or broken."""
        root = find_root(self.root)
        return Data(
            self._split(root, train=True),
            self._split(root, train=False),
            tuple(str(digit) for digit in range(10)),
        )

    def _split(self, root: Path, *, train: bool) -> Split:
        try:
            read = datasets.MNIST(root, train=train, download=self.download)
            if len(read.data) != len(read.targets):
                raise ValueError(f"{len(read.data)} images but {len(read.targets)} labels")
        except Exception as error:  # torchvision asserts where a header is not one
            raise DataError(
                f"no readable MNIST in {str(root.resolve())!r}: "
                f"{str(error) or type(error).__name__}",
                hint="Put the IDX files under MNIST/raw there, name another folder with data.root "
                "or the variable MOAT_DATA, or set data.download = true.",
            ) from error
        return Split(read.data[:, None], read.targets.long(), torch.arange(len(read.targets)))
