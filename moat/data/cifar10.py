"""CIFAR-10, from the original Python archive."""

from pathlib import Path
from typing import Any, ClassVar

import torch

from moat.data.base import Data, DataSet, Split, dataset, find_root
from moat.errors import DataError


@dataset("cifar10")
class CIFAR10(DataSet):
    """60,000 colour photographs of 32 x 32 pixels in ten classes, 50,000 of them for training.

    On disk: `<root>/cifar-10-batches-py/data_batch_1` and so on, torchvision's layout, each file
    checked against its MD5. `download` fetches a missing archive, 170 MB. The default of `root` is
    the folder named by the variable MOAT_DATA, else ./data.

    Example:
        >>> CIFAR10(root=Path("data")).root  # `load` reads the files
        PosixPath('data')

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    channels: ClassVar[int | None] = 3

    root: Path | None = None
    download: bool = False

    def load(self, cache: Path | None = None) -> Data:
        """Read both splits; raise DataError for a missing or broken file."""
        from torchvision import datasets  # here: it takes as long as importing torch

        root = find_root(self.root)
        try:
            train, test = (
                datasets.CIFAR10(root, train=train, download=self.download)
                for train in (True, False)
            )
        except Exception as error:  # a broken file makes its reader raise nearly anything
            raise DataError(
                f"no readable CIFAR-10 in {str(root.resolve())!r}: {error}",
                hint="Put the folder cifar-10-batches-py there, name another folder with data.root "
                "or the variable MOAT_DATA, or set data.download = true.",
            ) from error
        return Data(_split(train), _split(test), tuple(train.classes))


def _split(read: Any) -> Split:
    images = torch.from_numpy(read.data).permute(0, 3, 1, 2).contiguous()
    return Split(
        images, torch.tensor(read.targets, device="cpu"), torch.arange(len(images), device="cpu")
    )
