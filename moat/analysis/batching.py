"""The ids, passes and progress of an instrument on its examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from moat.errors import InputError
from moat.passes import default_pass_size
from moat.public import public
from moat.threats.arguments import require_pass_size

LARGEST_PASS = 2048  # on a GPU: an instrument makes thousands of examples out of one image


def _silent(done: int) -> None:
    return None


@public
@dataclass(frozen=True, eq=False, kw_only=True)
class Batching:
    """The batches in which an instrument goes through its examples.

    `ids` number them, by default by place: all random draws for an example follow from its id.
    `pass_size` is the largest number of images in one forward. `progress` is told how many of its
    forwards or images are done, each time some are.

    Example:
        >>> batching = Batching(pass_size=64)
        >>> batching.numbers(3), batching.size(torch.device("cpu"))
        (range(0, 3), 64)
    """

    ids: Sequence[int] | None = None
    pass_size: int | None = None
    progress: Callable[[int], object] = _silent

    def numbers(self, count: int) -> Sequence[int]:
        """Return the ids of so many examples; raise InputError for none, or for other ids."""
        if not count:
            raise InputError("an instrument needs at least one image, and got none.")
        if self.ids is None:
            return range(count)
        if len(self.ids) != count:
            raise InputError(
                f"{len(self.ids)} ids are given for {count} images.",
                hint="Give one id for each image, or leave ids out.",
            )
        return self.ids

    def size(self, device: torch.device) -> int:
        """Return the size of a pass: the one given, or the default of the device."""
        require_pass_size(self.pass_size)
        default = min(default_pass_size(device), LARGEST_PASS)
        return default if self.pass_size is None else self.pass_size
