"""The results of one threat on one batch, and their assembly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from moat.outcomes import NOT_SEARCHED

Stored = dict[str, NDArray[Any]]
Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]


def fetched(numbers: Tensor) -> Numbers:
    """Return numbers on the host, which waits for a GPU: once for all that a search found."""
    return numbers.detach().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Found:
    """Arrays of shape (examples, columns); numbers are NaN where nothing was searched.

    `outcomes` are 1, 0 and -1. `losses` are the loss at the best iterate, `first` and `last` those
    at the start and where the search ended, in the unit of the loss that was climbed. Whoever falls
    by any iterate ends there, and has no later loss. `reached` is the share of
    the radius that the end lies from the identity, the least over the blocks. `blind` marks
    gradients that were zero at the start or not finite later.
    """

    outcomes: NDArray[np.int8]
    losses: NDArray[np.float32]
    first: NDArray[np.float32]
    last: NDArray[np.float32]
    reached: NDArray[np.float32]
    blind: NDArray[np.int8]

    @classmethod
    def nothing(cls, examples: int, columns: int) -> "Found":
        """Return arrays to be filled in."""
        shape = (examples, columns)
        outcomes = np.full(shape, NOT_SEARCHED, dtype=np.int8)
        first, best, last, reached = (np.full(shape, np.nan, dtype=np.float32) for _ in range(4))
        blind = np.zeros(shape, dtype=np.int8)
        return cls(outcomes, best, first, last, reached, blind)

    def fill(self, rows: Rows, columns: Sequence[int], numbers: Numbers) -> None:
        """Fill in some examples' entries of some columns: (columns, arrays, examples)."""
        for column, of_arrays in zip(columns, numbers, strict=True):
            for part, values in zip(fields(self), of_arrays, strict=True):
                getattr(self, part.name)[rows, column] = values

    def stored(self) -> Stored:
        """Return the arrays by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def of(cls, stored: Mapping[str, NDArray[Any]]) -> "Found":
        """Return what `stored` gave."""
        return cls(**{part.name: stored[part.name] for part in fields(cls)})


def beside(parts: Sequence[Found]) -> Found:
    """Put columns of the same examples side by side."""
    return _joined(parts, axis=1)


def below(parts: Sequence[Found]) -> Found:
    """Put batches of the same columns below each other."""
    return _joined(parts, axis=0)


def _joined(parts: Sequence[Found], axis: int) -> Found:
    names = [part.name for part in fields(Found)]
    joined = {n: np.concatenate([getattr(part, n) for part in parts], axis) for n in names}
    return Found(**joined)
