"""MNIST and Fashion-MNIST, from their original IDX files."""

from pathlib import Path
from typing import Any, ClassVar

import torch

from moat.data.base import Data, DataSet, Split, dataset, find_root
from moat.errors import DataError


@dataset("mnist")
class MNIST(DataSet):
    """70,000 handwritten digits of 28 x 28 pixels, 60,000 of them for training.

    On disk: `<root>/MNIST/raw/*-ubyte`, torchvision's layout. Without `root` it is looked for in
    the folder that the variable MOAT_DATA names, else ./data. `download` fetches the files where
    they are missing.

    Example:
        >>> MNIST(root=Path("data")).root  # `load` reads the files
        PosixPath('data')

    Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.
    """

    channels: ClassVar[int | None] = 1

    root: Path | None = None
    download: bool = False

    def load(self, cache: Path | None = None) -> Data:
        """Read both splits; raise DataError where a file is missing or broken."""
        return _read("MNIST", self.root, self.download)


@dataset("fashion-mnist")
class FashionMNIST(DataSet):
    """70,000 pictures of clothes of 28 x 28 pixels, 60,000 of them for training.

    On disk: `<root>/FashionMNIST/raw/*-ubyte`, torchvision's layout; `root` and `download` as for
    MNIST, in whose place it can stand.

    Example:
        >>> FashionMNIST(root=Path("data")).root  # `load` reads the files
        PosixPath('data')

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017.
    """

    channels: ClassVar[int | None] = 1

    root: Path | None = None
    download: bool = False

    def load(self, cache: Path | None = None) -> Data:
        """Read both splits; raise DataError where a file is missing or broken."""
        return _read("FashionMNIST", self.root, self.download)


def _read(folder: str, named: Path | None, download: bool) -> Data:
    from torchvision import datasets  # here: it takes as long as importing torch

    kind = getattr(datasets, folder)
    root = find_root(named)
    try:
        train, test = (kind(root, train=train, download=download) for train in (True, False))
        for part in (train, test):
            if len(part.data) != len(part.targets):
                raise ValueError(f"{len(part.data)} images but {len(part.targets)} labels")
    except Exception as error:  # torchvision asserts where a header is not one
        raise DataError(
            f"no readable {folder} in {str(root.resolve())!r}: "
            f"{str(error) or type(error).__name__}",
            hint=f"Put the IDX files under {folder}/raw there, name another folder with "
            "data.root or the variable MOAT_DATA, or set data.download = true.",
        ) from error
    try:
        # torchvision's classes of MNIST are "0 - zero" and so on
        names = tuple(c.partition(" - ")[0] for c in train.classes)
        return Data(_split(train), _split(test), names)
    except DataError as error:
        raise error.at(str((root / folder / "raw").resolve())) from error


def _split(read: Any) -> Split:
    return Split(
        read.data[:, None], read.targets.long(), torch.arange(len(read.targets), device="cpu")
    )
