"""The batches of a loader, joined into one tensor of images and one of labels."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import torch
from torch import Tensor

from moat.annotations import value_in_words
from moat.errors import DataError

_TO_TENSOR = "Let the data set yield tensors: transform=torchvision.transforms.ToTensor()."
_STACK = (
    "Stack them, each as ToTensor() of torchvision.transforms makes it: "
    "torch.stack([to_tensor(image) for image in images])."
)
_CHANNELS = (
    'Give every image as many channels in the data set: image.convert("RGB") of PIL, or the '
    "transform Grayscale(3)."
)
_RESIZE = (
    "Bring them to one size in the data set's transform: Compose([Resize(256), CenterCrop(224), "
    "ToTensor()]) of torchvision.transforms."
)


def pairs_of(data: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield (images, labels) of each batch; raise DataError for batches of another form."""
    iterator = iter(data)
    for number in count(1):
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except (TypeError, RuntimeError) as error:  # of the collate function
            refused = _unmade(error, number)
            if refused is None:
                raise
            raise refused from error
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise DataError(
                f"batch {number} is not a pair of images and labels: {value_in_words(batch):.80}.",
                hint=f"Yield (images, labels): {_taken_from(batch)}.",
            )
        _require_no_example(batch[0], batch[1], number)
        yield batch[0], batch[1]


def joined_parts(parts: Sequence[Any], what: str) -> Tensor:
    """Return the images or labels of the batches as one tensor; raise DataError with the mend."""
    try:
        return torch.cat([torch.as_tensor(part).detach().cpu() for part in parts])
    except (RuntimeError, TypeError, ValueError) as error:
        sizes = list(dict.fromkeys(str(tuple(getattr(part, "shape", ()))[1:]) for part in parts))
        why, hint = str(error).splitlines()[0], "Give every batch labels of the shape (batch,)."
        if what == "images":
            hint = "Give every batch one tensor, (batch, channel, height, width): torch.stack."
            if len(sizes) > 1:
                why, hint = f"they are of several sizes, {_listed(sizes)}.", _mend_of(sizes)
            elif any(_is_picture(part) for part in parts):
                hint = _TO_TENSOR
        raise DataError(f"the {what} of the batches cannot be joined: {why}", hint=hint) from error


def _unmade(error: Exception, number: int) -> DataError | None:
    """Return the error of examples that no batch can be made of; None for a fault of the data."""
    said = str(error).strip().splitlines() or [""]
    line = said[-1] if said[0].startswith("Caught ") else said[0]  # of a worker process
    sizes = re.findall(r"\[[\d, ]*\]", line)
    if "equal size" in line and sizes:
        what = "images" if sizes[0].count(",") == 2 else "examples"
        sizes = list(dict.fromkeys(f"({size[1:-1]})" for size in sizes))
        return DataError(
            f"batch {number} cannot be made: its {what} are of several sizes, {_listed(sizes)}.",
            hint=_mend_of(sizes) if what == "images" else "Give every example one label.",
        )
    if not isinstance(error, TypeError):
        return None
    line = line.removeprefix("TypeError: ")
    return DataError(f"batch {number} cannot be made: {line}", hint=_TO_TENSOR)


def _mend_of(sizes: Sequence[str]) -> str:
    """Return the mend for images of several sizes: of pixels, or of channels alone."""
    sides = {size.partition(", ")[2] for size in sizes}
    return _CHANNELS if len(sides) == 1 else _RESIZE


def _require_no_example(images: Any, labels: Any, number: int) -> None:
    """Raise DataError for one example in place of a batch: an image and its label."""
    if _is_picture(images):
        raise DataError(
            f"item {number} of the data is a picture with its label, not a batch of tensors.",
            hint=f"{_TO_TENSOR} A list of pairs is read by DataLoader(pairs, batch_size=256).",
        )
    single = getattr(labels, "ndim", 0 if isinstance(labels, int) else 1) == 0
    if single and getattr(images, "ndim", 4) < 4:
        raise DataError(
            f"item {number} of the data is one example, an image with its label, not a batch.",
            hint="Let torch join the examples: torch.utils.data.DataLoader(data, batch_size=256).",
        )


def is_example_list(images: Any) -> bool:
    """Say whether images are a list of single ones; raise DataError for pictures of PIL."""
    if not isinstance(images, list) or not images:
        return False
    if _is_picture(images):
        raise DataError("the images are pictures, not one tensor.", hint=_STACK)
    return getattr(images[0], "ndim", 4) < 4


def _is_picture(value: Any) -> bool:
    """Say whether a value is an image of PIL, or a list that begins with one."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return hasattr(value, "getbands") and hasattr(value, "tobytes")


def _taken_from(batch: Any) -> str:
    """Return how pairs are taken of batches that are tables, or tuples with more in them."""
    if isinstance(batch, tuple | list) and len(batch) > 2:
        return "((b[0], b[1]) for b in loader)"
    return "((b['image'], b['label']) for b in loader)"


def _listed(sizes: Sequence[str], most: int = 3) -> str:
    """Return the first few sizes, as in "(3, 5, 5), (3, 4, 5) and others"."""
    if len(sizes) > most:
        return f"{', '.join(sizes[:most])} and others"
    return f"{', '.join(sizes[:-1])} and {sizes[-1]}" if len(sizes) > 1 else sizes[0]
