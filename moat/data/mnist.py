"""MNIST and Fashion-MNIST, from their original IDX files."""

from pathlib import Path
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from moat.data.base import Data, DataSet, Split, dataset, find_root
from moat.data.idx import missing_files, read_idx
from moat.errors import DataError

PIXELS: Final = 28
"""Pixels of a side, as stored."""
Size = Literal[28, 14, 7]
_AT_ONCE = 10_000  # images as floats: 30 MB


@dataset("mnist")
class MNIST(DataSet):
    """70,000 handwritten digits of 28 x 28 pixels, 60,000 of them for training.

    On disk: `<root>/MNIST/raw/*-ubyte`, torchvision's layout, or the same files as .gz. The default
    of `root` is the folder named by the variable MOAT_DATA, else ./data. `download` fetches missing
    files. `size` is the side of the images in pixels: those of 14 and 7 are means over blocks of
    2 x 2 and 4 x 4 pixels, rounded.

    Example:
        >>> MNIST(root=Path("data")).root  # `load` reads the files
        PosixPath('data')

    Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.
    """

    channels: ClassVar[int | None] = 1
    unidentifying_default: ClassVar[tuple[str, ...]] = ("size",)  # runs are older than it

    root: Path | None = None
    download: bool = False
    size: Size = PIXELS

    def load(self, cache: Path | None = None) -> Data:
        """Read both splits; raise DataError where a file is missing or broken."""
        return _read("MNIST", self.root, self.download, self.size)


@dataset("fashion-mnist")
class FashionMNIST(DataSet):
    """70,000 pictures of clothes of 28 x 28 pixels, 60,000 of them for training.

    On disk: `<root>/FashionMNIST/raw/*-ubyte`, or as .gz; `root`, `download` and `size` as for
    MNIST, which it can replace.

    Example:
        >>> FashionMNIST(root=Path("data")).root  # `load` reads the files
        PosixPath('data')

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017.
    """

    channels: ClassVar[int | None] = 1
    unidentifying_default: ClassVar[tuple[str, ...]] = ("size",)  # runs are older than it

    root: Path | None = None
    download: bool = False
    size: Size = PIXELS

    def load(self, cache: Path | None = None) -> Data:
        """Read both splits; raise DataError where a file is missing or broken."""
        return _read("FashionMNIST", self.root, self.download, self.size)


def _read(folder: str, named: Path | None, download: bool, size: int) -> Data:
    from torchvision import datasets  # here: it takes as long as importing torch

    kind, root = getattr(datasets, folder), find_root(named)
    raw = root / folder / "raw"
    try:
        if download:
            kind(root, download=True)
        if missing := missing_files(raw, [f"{part}-{what}" for part in _PARTS for what in _WHAT]):
            raise ValueError(f"{missing[0]} is not found in {folder}/raw, nor packed as .gz.")
        train, test = (_split(raw, part, size) for part in _PARTS)
    except Exception as error:  # of the network, of torchvision, of the files
        raise DataError(
            f"no readable {folder} in {str(root.resolve())!r}: "
            f"{str(error) or type(error).__name__}",
            hint=f"Put the IDX files under {folder}/raw there, name another folder with "
            "data.root or the variable MOAT_DATA, or set data.download = true.",
        ) from error
    try:
        # torchvision's classes of MNIST are "0 - zero" and so on
        return Data(train, test, tuple(c.partition(" - ")[0] for c in kind.classes))
    except DataError as error:
        raise error.at(str(raw.resolve())) from error


def _split(raw: Path, part: str, size: int) -> Split:
    images, labels = (read_idx(raw, f"{part}-{what}") for what in _WHAT)
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images but {len(labels)} labels")
    if images.ndim != 3 or labels.ndim != 1:
        raise ValueError(f"{part}: its files hold no images with a label each")
    images = _shrunk(images[:, None], size)
    return Split(images, labels.long(), torch.arange(len(labels), device="cpu"))


def _shrunk(images: Tensor, size: int) -> Tensor:
    """Return images (n, 1, side, side) as means over square blocks of pixels, `size` a side."""
    block = images.shape[-1] // size
    if block <= 1:
        return images
    parts = [avg_pool2d(part.float(), block).round() for part in images.split(_AT_ONCE)]
    return torch.cat(parts).to(torch.uint8)


_PARTS = ("train", "t10k")
_WHAT = ("images-idx3-ubyte", "labels-idx1-ubyte")
