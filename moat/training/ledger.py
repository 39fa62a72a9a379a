"""The passes of a training so far: examples counted as they go through the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from moat.threats import Spent
from moat.types import Logits


@dataclass
class Ledger:
    """Counts of examples: forwards, backwards, and searches (one for each threat).

    Example:
        >>> import torch
        >>> ledger, images = Ledger(), torch.rand(4, 3, requires_grad=True)
        >>> ledger.see(images * 2).sum().backward()
        >>> ledger.see(images.detach())[0].shape, ledger
        (torch.Size([3]), Ledger(forwards=8, backwards=4, searched=0))
    """

    forwards: int = 0
    backwards: int = 0
    searched: int = 0

    def see(self, logits: Logits) -> Logits:
        """Count a forward now and its backwards as they happen; return the same logits."""
        self.forwards += len(logits)
        if logits.requires_grad:
            logits.register_hook(self._see_slopes)
        return logits

    def _see_slopes(self, slopes: Tensor) -> None:
        self.backwards += len(slopes)

    def add(self, other: Spent) -> None:
        """Add passes that were not observed, such as those of a replayed search."""
        self.forwards += int(other.forwards)
        self.backwards += int(other.backwards)

    @property
    def spent(self) -> Spent:
        """The forwards and backwards so far."""
        return Spent(self.forwards, self.backwards)


@contextmanager
def counted_apart(model: nn.Module) -> Iterator[Ledger]:
    """Hide the passes inside from a network's ledger; yield the ledger that counts them."""
    network: Any = model
    known, apart = getattr(model, "ledger", None), Ledger()
    if known is None:  # a network that is not counted
        yield apart
        return
    network.ledger = apart
    try:
        yield apart
    finally:
        network.ledger = known
