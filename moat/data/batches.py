"""Batches, each recreated from its seed at any time."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from moat.data.augmentation import Augment
from moat.data.base import Split, as_floats
from moat.data.mapped_images import ImageRows
from moat.public import public
from moat.transfers import send
from moat.types import Images, Labels, StoredImages

T = TypeVar("T")


@public
def shuffled_batches(
    split: Split,
    size: int,
    generator: torch.Generator,
    augment: Augment = as_floats,
    device: torch.device | None = None,
) -> Iterator[tuple[Images, Labels]]:
    """Yield every example once, in an order drawn from the generator, as augmented float images.

    The last batch may be smaller. A last batch of one example is left out if others have more,
    because batch norm needs a variance.

    Example:
        >>> from moat.data import Digits
        >>> split = Digits().load().train
        >>> x, y = next(shuffled_batches(split, 128, torch.Generator().manual_seed(0)))
        >>> x.shape, x.dtype
        (torch.Size([128, 1, 8, 8]), torch.float32)
    """
    order = send(torch.randperm(len(split), generator=generator, device="cpu"), split.labels.device)
    whole = [index for index in order.split(size) if len(index) > 1 or len(order) == 1 or size == 1]
    for images, labels in _batches(split, whole, device):
        yield augment(images), labels


@public
def batches_in_order(
    split: Split, size: int, device: torch.device | None = None
) -> Iterator[tuple[Images, Labels]]:
    """Yield the examples in their order, as float images.

    Example:
        >>> from moat.data import Digits
        >>> [len(y) for x, y in batches_in_order(Digits().load().test, 200)]
        [200, 159]
    """
    for images, labels in stored_in_order(split, size, device):
        yield as_floats(images), labels


@public
def stored_in_order(
    split: Split, size: int, device: torch.device | None = None
) -> Iterator[tuple[StoredImages, Labels]]:
    """Yield the examples in their order, as images of bytes.

    Example:
        >>> from moat.data import Digits
        >>> next(stored_in_order(Digits().load().test, 200))[0].dtype
        torch.uint8
    """
    rows = [
        torch.arange(start, min(start + size, len(split)), device="cpu")
        for start in range(0, len(split), size)
    ]
    yield from _batches(split, rows, device)


@public
def batches_per_epoch(examples: int, size: int) -> int:
    """Return the number of batches of `shuffled_batches`.

    Example:
        >>> batches_per_epoch(1000, 128)
        8
    """
    full, rest = divmod(examples, size)
    return full + (rest > 1 or (rest == 1 and full == 0))


def _batches(
    split: Split, indexes: Iterable[torch.Tensor], device: torch.device | None
) -> Iterator[tuple[StoredImages, Labels]]:
    """Read the batches at these positions onto the device, rows of an array one batch ahead."""
    here = split.labels.device
    placed = (index.to(here) for index in indexes)
    read = ((split.images[index], split.labels[index]) for index in placed)
    for images, labels in _ahead(read) if isinstance(split.images, ImageRows) else read:
        yield send(images, device or here), send(labels, device or here)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the same, the next one being made in a thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
