"""Rows of a stored array of images, read on demand."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from moat.types import Labels, StoredImages


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Some of the images of a larger array, in an order of their own: uint8, read as needed.

    The array may be a memory-mapped file or a part of each of its images, so that a split of a
    data set larger than memory costs nothing until a batch of it is read. Behaves as the tensor
    (rows, channel, height, width) where moat takes one: shape, length, device and index.
    """

    stored: Tensor  # (images, channel, height, width)
    rows: Labels  # positions in `stored`

    @property
    def shape(self) -> torch.Size:
        """The shape it would have as one tensor."""
        return torch.Size((len(self.rows), *self.stored.shape[1:]))

    @property
    def device(self) -> torch.device:
        """The device of the images."""
        return self.stored.device

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Tensor | slice) -> StoredImages:
        return self.stored[self.rows[index]]

    def take(self, index: Tensor) -> "ImageRows":
        """Return some of the rows, nothing read."""
        return ImageRows(self.stored, self.rows[index.to(self.rows.device)])

    def to(self, device: torch.device) -> "StoredImages | ImageRows":
        """Return the images as one tensor on another device, themselves where they are there."""
        if device == self.device or device.type == self.device.type == "cpu":
            return self
        return self.stored[self.rows].to(device)


ImageArray = UInt8[Tensor, "_ _ _ _"] | Float[Tensor, "_ _ _ _"] | ImageRows
"""Images (examples, channel, height, width): one tensor of bytes or, to evaluate, of floats; or
rows of an array of bytes."""


def taken(images: ImageArray, index: Tensor) -> ImageArray:
    """Return the images at these positions; rows stay unread."""
    return images.take(index) if isinstance(images, ImageRows) else images[index]


def centred(images: ImageArray, size: tuple[int, int]) -> ImageArray:
    """Return the central (height, width) of every image, nothing read or copied."""
    if tuple(images.shape[2:]) == size:
        return images
    (top, height), (left, width) = (
        ((stored - wanted) // 2, wanted)
        for stored, wanted in zip(images.shape[2:], size, strict=True)
    )
    if isinstance(images, ImageRows):
        part = images.stored[:, :, top : top + height, left : left + width]
        return ImageRows(part, images.rows)
    return images[:, :, top : top + height, left : left + width]


def gibibytes(images: ImageArray) -> float:
    """Return how much memory the images take as one tensor."""
    size = images.element_size() if isinstance(images, Tensor) else 1
    return size * math.prod(images.shape) / 2**30
