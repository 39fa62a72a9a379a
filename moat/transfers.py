"""Moving small data between host and device without waiting for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

_refused: ContextVar[bool] = ContextVar("refused", default=False)


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor on the device; the host does not wait for work queued there.

    A copy from pageable memory would make it wait, so that the data goes through pinned memory.
    Raises RuntimeError under `host_data_refused`.
    """
    if device.type == "cpu" or tensor.device.type != "cpu":
        return tensor.to(device)
    if _refused.get():
        raise RuntimeError("host data enters the search")
    if device.type == "cuda" and torch.cuda.is_available():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


@contextmanager
def host_data_refused() -> Iterator[None]:
    """Have `send` raise: what a CUDA graph records, every replay would copy from the same place."""
    token = _refused.set(True)
    try:
        yield
    finally:
        _refused.reset(token)


class Arriving:
    """A small tensor on its way to the host, which waits for it when its value is asked for.

    Asked a step later, a GPU still has the work of that step, and is never idle.

    Example:
        >>> Arriving(torch.ones(2)).value()
        tensor([1., 1.])
    """

    def __init__(self, tensor: Tensor) -> None:
        self._copy = tensor.detach().to("cpu", non_blocking=True)
        self._event: torch.cuda.Event | None = None
        if tensor.device.type == "cuda" and torch.cuda.is_available():
            self._event = torch.cuda.Event()
            self._event.record()

    def value(self) -> Tensor:
        """Return the tensor on the host."""
        if self._event is not None:
            self._event.synchronize()
            self._event = None
        return self._copy

    def __deepcopy__(self, memo: Any) -> "Arriving":
        return Arriving(self.value().clone())
