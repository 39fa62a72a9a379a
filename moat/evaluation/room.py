"""The memory of an evaluation: the examples and restarts that climb together, and the passes.

What is counted is what an evaluation holds beside the network and the data set: a batch's images,
what the searches keep of every example, and what a pass of the network takes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from moat.errors import InputError
from moat.evaluation.protocol import Attempt, Protocol
from moat.evaluation.search_results import Rows
from moat.passes import default_pass_size
from moat.threats import SearchedThreat, example_bytes

GIB = 2**30
CPU_MEMORY = 4.0
"""GiB that an evaluation takes on a CPU at most, when nobody says otherwise."""
GPU_SHARE = 0.75
"""The share of a GPU's memory that it takes there."""


@dataclass(frozen=True)
class Together:
    """Some examples of a batch and some searches of a threat that climb together."""

    rows: Rows  # places in the batch, ascending
    attempts: tuple[Attempt, ...]

    def halves(self) -> "tuple[Together, Together] | None":
        """Return two that do the same one after the other; None of one example's one search."""
        rows, attempts = self.rows, self.attempts
        if len(attempts) > 1:
            half = len(attempts) // 2
            return Together(rows, attempts[:half]), Together(rows, attempts[half:])
        if len(rows) > 1:
            half = len(rows) // 2
            return Together(rows[:half], attempts), Together(rows[half:], attempts)
        return None


@dataclass(eq=False)
class Room:
    """Bytes: the most that may be taken, and what a batch, an image of a pass, an example take.

    `searches` says of each threat that the one loop searches what one example and restart take.
    Passes get shorter once a device turns out to have too little memory for them.
    """

    limit: int
    batch: int
    image: int
    pass_size: int
    searches: Mapping[str, int]
    examples: int  # in a batch

    def together(self, label: str, rows: Rows, attempts: Sequence[Attempt]) -> Iterator[Together]:
        """Yield some examples and searches after the other, all restarts at once where they fit."""
        most = self._most(label)
        if most >= len(rows):
            size = most // len(rows)
            for start in range(0, len(attempts), size):
                yield Together(rows, tuple(attempts[start : start + size]))
            return
        for attempt in attempts:
            # of equal length, so that passes are
            for part in np.array_split(rows, math.ceil(len(rows) / most)):
                yield Together(part, (attempt,))

    def needed(self, protocol: Protocol) -> int:
        """Return how many bytes are taken at most of this memory."""
        climbing = {
            label: min(self._most(label), self.examples * _restarts(protocol, label))
            for label in self.searches
        }
        taken = [self._taken(label, count) for label, count in climbing.items()]
        return self.batch + max(taken, default=self.image * min(self.pass_size, self.examples))

    def _taken(self, label: str, climbing: int) -> int:
        return climbing * self.searches[label] + min(self.pass_size, climbing) * self.image

    def _most(self, label: str) -> int:
        """Return how many searches of one example each fit at once."""
        left, own = self.limit - self.batch, self.searches[label]
        if left // (own + self.image) <= self.pass_size:
            return max(1, left // (own + self.image))
        return max(1, (left - self.pass_size * self.image) // own)

    def shorten(self, longest: int) -> None:
        """Halve the passes, of which the longest was so long."""
        self.pass_size = max(1, min(self.pass_size, longest) // 2)


def room_for(
    protocol: Protocol,
    shape: Sequence[int],
    device: torch.device,
    *,
    image: int = 0,
    pass_size: int | None = None,
    classes: int = 10,
) -> Room:
    """Return how a protocol is searched within its memory on batches of images of this shape.

    `image` is what the network takes for one image of a pass, in bytes. Unless it is given, a pass
    takes half of the memory at most. Raises MoatError where one example does not fit.
    """
    limit = memory_limit(protocol, device)
    batch, (examples, channel, height, width) = math.prod(shape), shape
    usual = min(default_pass_size(device), max(1, (limit - batch) // 2 // max(1, image)))
    searches = {
        label: example_bytes(
            threat,
            (channel, height, width),
            len(next(protocol.attempts(label)).columns),
            classes,
        )
        for label, threat in protocol.threats.items()
        if isinstance(threat, SearchedThreat)
    }
    room = Room(limit, batch, image, pass_size or usual, searches, examples)
    for label, own in searches.items():
        if batch + own + image > limit:
            raise InputError(
                f"evaluation.memory is {gib(limit)}, and one example of {label!r} with one "
                f"restart takes {gib(batch + own + image)}: {gib(own)} for its search, "
                f"{gib(image)} for its pass through the network, {gib(batch)} for the images of "
                "a batch.",
                hint=f"Set evaluation.memory = {_above(batch + own + image)} (GiB) or more.",
            )
    return room


def memory_limit(protocol: Protocol, device: torch.device) -> int:
    """Return how many bytes an evaluation may take on a device."""
    if protocol.memory is not None:
        return int(protocol.memory * GIB)
    if device.type == "cuda" and torch.cuda.is_available():
        return int(GPU_SHARE * torch.cuda.get_device_properties(device).total_memory)
    return int(CPU_MEMORY * GIB)


def gib(size: int) -> str:
    """Return a size in GiB, or in MiB where it is less than a tenth of one.

    Example:
        >>> gib(3 * 2**29), gib(3 * 2**20)
        ('1.5 GiB', '3 MiB')
    """
    if size < GIB / 10:
        return f"{math.ceil(size / 2**20)} MiB"
    return f"{size / GIB:.1f} GiB"


def _above(size: int) -> float:
    """Return GiB of two digits that hold the size."""
    digits = 2 - math.ceil(math.log10(size / GIB))
    return float(math.ceil(size / GIB * 10**digits) / 10**digits)


def _restarts(protocol: Protocol, label: str) -> int:
    return 1 if protocol.union_only else sum(1 for _ in protocol.attempts(label))
