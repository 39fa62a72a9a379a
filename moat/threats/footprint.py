"""The memory of a search for each example, measured on one example with an empty network."""

import weakref
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from moat.geometry.draws import BatchGenerator
from moat.public import public
from moat.threats.ascent import ascend
from moat.threats.joint import SearchedThreat
from moat.types import Images, Logits

ITERATIONS = 3  # suffice for everything that a search remembers
ROOM = 1.15  # for what a search holds now and then only, as where Auto-PGD halves its steps


class LiveBytes(TorchDispatchMode):
    """A counter of the bytes of live tensors in its context, and of their maximum.

    Workspaces inside an operation are not seen.

    Example:
        >>> with LiveBytes() as counted:
        ...     x = torch.zeros(1000, dtype=torch.uint8) + 1
        >>> counted.most
        2000
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live, self.most = 0, 0
        self._seen: dict[int, weakref.ref[Any]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch would import its compiler, for seconds

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and count the memory of what it returns."""
        found = function(*args, **(kwargs or {}))
        for part in tree_leaves(found):
            if isinstance(part, Tensor) and part.layout == torch.strided:
                self._count(part.untyped_storage())
        return found

    def _count(self, storage: Any) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._seen:
            return

        def gone(_: Any) -> None:
            self.live -= size
            self._seen.pop(key, None)

        self._seen[key] = weakref.ref(storage, gone)
        self.live += size
        self.most = max(self.most, self.live)


@public
def example_bytes(
    threat: SearchedThreat, shape: tuple[int, int, int], counts: int = 1, classes: int = 10
) -> int:
    """Return the bytes of a search for one example, without the network's own.

    `shape` is that of its image; `counts` is the number of reported iterations.

    Example:
        >>> from moat.threats import PGD
        >>> example_bytes(PGD(epsilon=0.1, step_size=0.02, steps=2), (1, 8, 8)) > 8 * 8 * 4
        True
    """
    try:
        return _measured(threat, shape, counts, classes)
    except TypeError:  # a threat that has no hash
        return _measured.__wrapped__(threat, shape, counts, classes)


@lru_cache(256)
def _measured(
    threat: SearchedThreat, shape: tuple[int, int, int], counts: int, classes: int
) -> int:
    generator = BatchGenerator(0, np.zeros(1, np.int64), 1)
    at_steps = (*range(1, counts), max(counts, min(ITERATIONS, threat.steps)))
    with LiveBytes() as counted:
        x, y = torch.zeros(1, *shape), torch.zeros(1, dtype=torch.long)
        climb = threat.climb(x, y, at_steps=at_steps, generator=generator)
        ascend(_Means(classes), [climb], 1)
    return int(ROOM * counted.most)


class _Means(nn.Module):
    """Logits that are multiples of an image's mean: a network that holds next to nothing."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, images: Images) -> Logits:
        """Return a row of logits for each image."""
        means = images.mean((1, 2, 3))[:, None]
        return means * torch.arange(1, self.classes + 1, device=images.device)
