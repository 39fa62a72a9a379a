"""The interface of a data set: uint8 images and integer labels."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform

import torch
from pydantic import Field

from moat.data.mapped_images import ImageArray, centred, gibibytes, taken
from moat.digests import digest_of_parts
from moat.errors import DataError
from moat.paths import require_path
from moat.public import public
from moat.registry import Registry
from moat.types import Images, Labels


@public
@dataclass(frozen=True, eq=False)
class Split:
    """Images as uint8 (examples, channel, height, width), their labels, and their ids.

    The ids are the examples' positions in their source file, which identify an example in every
    subset.

    Example:
        >>> images, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.arange(4)
        >>> split = Split(images, labels, ids=torch.arange(4))
        >>> split.take(torch.tensor([2])).labels
        tensor([2])
    """

    images: ImageArray
    labels: Labels  # int64, whatever integers were given
    ids: Labels

    def __post_init__(self) -> None:
        """Take labels of any integer type; raise DataError for others."""
        object.__setattr__(self, "labels", as_labels(self.labels))

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """Return 16 hex digits that identify the images and labels, independent of their files."""
        return digest_of_parts(self._parts())

    def _parts(self) -> Iterator[bytes]:
        yield str(tuple(self.images.shape)).encode()
        for start in range(0, len(self), 1024):
            yield self.images[start : start + 1024].cpu().contiguous().numpy().tobytes()
        yield self.labels.cpu().contiguous().numpy().tobytes()

    def take(self, index: torch.Tensor) -> "Split":
        """Return the examples at these positions."""
        return Split(taken(self.images, index), self.labels[index], self.ids[index])

    def to(self, device: torch.device) -> "Split":
        """Return the same split on another device."""
        return Split(self.images.to(device), self.labels.to(device), self.ids.to(device))

    def near(self, device: torch.device, memory: float) -> "Split":
        """Return the split on the device if its images take at most `memory` GiB, else as it is."""
        return self.to(device) if gibibytes(self.images) <= memory else self

    def at(self, size: tuple[int, int]) -> "Split":
        """Return the same split with the central (height, width) of every image."""
        return Split(centred(self.images, size), self.labels, self.ids)


DEVICE_MEMORY = 4.0
"""GiB of images that lie on the device as a whole, when nobody says otherwise."""


def find_root(named: Path | None) -> Path:
    """Return the folder data is looked for in: the one named, else $MOAT_DATA, else ./data."""
    return require_path(named or Path(os.environ.get("MOAT_DATA") or "data"), DataError)


@public
def as_floats(images: torch.Tensor) -> Images:
    """Return stored images as float32 in [0, 1]; DataError refuses any that are not uint8.

    Example:
        >>> as_floats(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
        tensor([[[[0., 1.]]]])
    """
    if images.dtype != torch.uint8:
        raise DataError(
            f"stored images are bytes (uint8), from 0 to 255, not {images.dtype}.",
            hint="Keep images in [0, 1] as (255 * images).round().to(torch.uint8).",
        )
    return images.float().div_(255)


def as_labels(labels: torch.Tensor) -> Labels:
    """Return labels as int64; DataError refuses any that are not integers."""
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise DataError(
            f"labels are integers, not {labels.dtype}.",
            hint="If they count the classes from 0, keep labels.long().",
        )
    return labels.long()


@public
@dataclass(frozen=True, eq=False)
class Data:
    """A data set: its training split, its test split, and the names of the classes.

    `note` is a line on the omitted files and the numbering of the classes.

    Example:
        >>> from moat.data import Digits
        >>> Digits().load().classes[:3]
        ('0', '1', '2')
    """

    train: Split
    test: Split
    classes: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            _require_labels(getattr(self, name), f"the {name} split", len(self.classes))

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image as the model sees it: channel, height, width.

        Training images may be stored larger, for random crops.
        """
        channel, height, width = self.test.images.shape[1:]
        return channel, height, width


def _require_labels(split: Split, called: str, classes: int) -> None:
    """Raise DataError unless a split has examples, each with an id and the label of a class."""
    images, labels, ids = len(split.images), len(split.labels), len(split.ids)
    if not images == labels == ids or not images:
        raise DataError(f"{called} has {images} images, {labels} labels and {ids} ids.")
    if split.labels.is_floating_point() or split.labels.is_complex() or split.labels.ndim != 1:
        raise DataError(
            f"the labels of {called} are {split.labels.dtype} of shape "
            f"{tuple(split.labels.shape)}, not one whole number for each image.",
            hint="Return labels as a torch.long tensor, one for each image.",
        )
    found, counts = split.labels.unique(return_counts=True)
    wrong = [
        f"{label} ({count:,} times)"
        for label, count in zip(found.tolist(), counts.tolist(), strict=True)
        if not 0 <= label < classes
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise DataError(
            f"{called} has labels outside its {classes} classes, which count from 0: "
            f"{', '.join(wrong[:_SHOWN])}{more}.",
            hint="The file of labels belongs to another data set or is damaged, or classes are "
            "missing.",
        )


_SHOWN = 5


class DataSet(ABC):
    """The interface of a data set. Its fields are recipe keys; `root` is the path of its files.

    Example:
        >>> from moat.data import Digits
        >>> isinstance(Digits(), DataSet)
        True
    """

    name: ClassVar[str]
    channels: ClassVar[int | None] = None
    """The number of channels of its images, if it is known before they are read."""
    typical: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Fields with which `moat check` makes one, where they are not set."""

    @abstractmethod
    def load(self, cache: Path | None = None) -> Data:
        """Read it; raise DataError with the searched folder and the source of the data.

        `cache` is a folder, created on demand, for costly intermediate files.
        """


registry: Registry[DataSet] = Registry("data set", "moat.datasets", DataSet)  # type: ignore[type-abstract]

D = TypeVar("D", bound=type[DataSet])


@public
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def dataset(name: str) -> Callable[[D], D]:
    """Declare a data set under a name that recipes use: a frozen, validated dataclass.

    Example:
        >>> @dataset("grey")
        ... class Grey(DataSet):
        ...     level: int = 128  # of 255
        ...
        ...     def load(self, cache=None):
        ...         images = torch.full((10, 1, 8, 8), self.level, dtype=torch.uint8)
        ...         split = Split(images, torch.arange(10), ids=torch.arange(10))
        ...         return Data(split, split, classes=tuple("0123456789"))
        >>> Grey(level=64).load().shape
        (1, 8, 8)
    """
    return lambda cls: registry.declare(name, cls, frozen=True)
