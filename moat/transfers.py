"""Moving host data to a device without waiting for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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
