"""Cutting lists of examples into passes: one forward (and backward) over at most `pass_size`."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from moat.errors import InputError
from moat.errors import is_out_of_memory as is_out_of_memory


class Segment(NamedTuple):
    """The consecutive examples `[start, stop)` of one of several lists."""

    which: int
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        """The segment as an index into its list."""
        return slice(self.start, self.stop)


Pass = list[Segment]


def default_pass_size(device: torch.device) -> int:
    """Return how many examples one pass takes on a device when nobody says otherwise.

    A GPU is bound by launches, so a pass is as large as may be. On a CPU the size is a matter of
    memory: where freed memory is kept (`moat.allocator`), a step on 512 images takes 1.04 of the
    time in passes of 64, 1 in passes of 128, 0.98 in passes of 256 and 0.95 in one of 512, whose
    activations take 2.7 times the memory. Where it is not, page faults make that one pass 1.5
    times as dear as four of 128 (measured, the network of the MNIST studies).
    """
    return 128 if device.type == "cpu" else 1 << 30


def cut(lengths: Sequence[int], pass_size: int) -> list[Pass]:
    """Cut several lists, laid end to end, into passes of at most `pass_size` examples.

    Example:
        >>> cut([3, 2], 4)
        [[Segment(which=0, start=0, stop=3), Segment(which=1, start=0, stop=1)], \
[Segment(which=1, start=1, stop=2)]]
    """
    if pass_size < 1:
        raise InputError(f"a pass holds at least one example, not {pass_size}")
    passes: list[Pass] = []
    room = 0
    for which, length in enumerate(lengths):
        start = 0
        while start < length:
            if room == 0:
                passes.append([])
                room = pass_size
            stop = min(length, start + room)
            passes[-1].append(Segment(which, start, stop))
            room -= stop - start
            start = stop
    return passes


def in_passes(model: Callable[[Tensor], Tensor], x: Tensor, pass_size: int) -> Tensor:
    """Return what the model makes of images, pass by pass."""
    return torch.cat([model(part) for part in x.split(pass_size)])
