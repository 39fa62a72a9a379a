"""Random numbers for a batch that do not depend on its division into groups."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moat.randomness import generator_of
from moat.transfers import send

RANDN_BLOCK = 16  # numbers that torch.randn draws together on a CPU
PART = 1 << 22  # numbers that are held at once beside those that are asked for


class BatchGenerator(torch.Generator):
    """A generator that draws for all `total` examples of a batch and returns the numbers of some.

    So a batch can be searched in groups of any size: for `rows`, ascending places in the batch,
    `draw` returns the numbers that a plain generator with this seed draws for the whole batch.
    """

    rows: NDArray[np.int64]
    total: int

    def __new__(cls, seed: int, rows: NDArray[np.int64], total: int) -> "BatchGenerator":
        """Return one on the CPU."""
        made = super().__new__(cls)
        made.manual_seed(seed)
        made.rows, made.total = rows, total
        made.expect()
        return made

    def expect(self) -> None:
        """Record that all numbers so far were drawn for all examples."""
        self._expected = self._state()

    def is_sound(self) -> bool:
        """Say whether only `draw` was used; otherwise examples depend on their group."""
        return self._expected == self._state()

    def _state(self) -> bytes:
        return self.get_state().numpy().tobytes()

    def drawn(self, sampler: object, like: Tensor) -> Tensor:
        """Draw for all examples, in parts, and return the numbers of some."""
        if len(like) != len(self.rows):  # not an example at a time: `is_sound` will say so
            return sampler(like.shape, generator=self, dtype=like.dtype)  # type: ignore[operator,no-any-return]
        found = []
        for start, stop in self._parts(like[:1].numel()):
            shape = (stop - start, *like.shape[1:])
            part: Tensor = sampler(shape, generator=self, dtype=like.dtype)  # type: ignore[operator]
            first, last = np.searchsorted(self.rows, (start, stop))
            found.append(part[torch.from_numpy(self.rows[first:last] - start)])
        self.expect()
        return torch.cat(found)

    def _parts(self, numbers: int) -> list[tuple[int, int]]:
        """Return where parts begin and end: whole blocks, and a last one no shorter than a block.

        torch.randn draws numbers in blocks, the last of a tensor anew if it is not whole.
        """
        if len(self.rows) == self.total:
            return [(0, self.total)]
        length = max(1, PART // max(1, numbers) // RANDN_BLOCK) * RANDN_BLOCK
        starts = list(range(0, max(1, self.total - RANDN_BLOCK + 1), length))
        return list(zip(starts, [*starts[1:], self.total], strict=True))


def draw(sampler: object, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw with torch.rand or torch.randn in the shape, type and device of `like`.

    The numbers are made where the generator lives, so that a CPU generator gives the same
    perturbation on every device.
    """
    if isinstance(generator, BatchGenerator):
        return send(generator.drawn(sampler, like), like.device)
    device = like.device if generator is None else generator.device
    drawn: Tensor = sampler(like.shape, generator=generator, dtype=like.dtype, device=device)  # type: ignore[operator]
    return send(drawn, like.device)


def draw_seed(generator: torch.Generator | None) -> int:
    """Draw the seed of a search that draws as it iterates, so searches can climb together."""
    device = "cpu" if generator is None else generator.device
    seed = int(torch.randint(1 << 62, (), generator=generator, device=device).cpu().numpy())
    if isinstance(generator, BatchGenerator):
        generator.expect()
    return seed


def generator_like(generator: torch.Generator | None, seed: int) -> torch.Generator:
    """Return a generator with another seed, for the same examples of a batch."""
    if isinstance(generator, BatchGenerator):
        return BatchGenerator(seed, generator.rows, generator.total)
    return generator_of(seed)
