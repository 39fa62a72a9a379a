"""Moving host data to a device without waiting for it."""

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor on the device; the host does not wait for work queued there.

    A copy from pageable memory would make it wait, so that the data goes through pinned memory.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    if torch.cuda.is_available():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
