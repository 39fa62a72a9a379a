"""NumPy's images as tensors: bytes, and floats in the type of the network."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def as_network_takes(network: nn.Module, x: Any) -> Any:
    """Return a NumPy array of bytes or floats as images of the network's type; others as they are.

    NumPy makes float64 where torch makes float32, and PIL makes bytes. Half precision stays, and
    is refused as that of a tensor is.
    """
    if not isinstance(x, np.ndarray) or isinstance(x, np.ma.MaskedArray):
        return x
    wide = any(parameter.dtype == torch.float64 for parameter in network.parameters())
    kind = "float64" if wide else "float32"
    if x.dtype == np.uint8:
        return x.astype(kind) / 255
    return x.astype(kind) if x.dtype.kind == "f" and x.dtype.itemsize in (4, 8) else x


def bytes_of(images: Any) -> Tensor | None:
    """Return images as a tensor of bytes, None where they are of another type.

    An array is copied: torch takes none with negative strides, and warns of a read-only one.
    """
    if isinstance(images, np.ndarray) and images.dtype == np.uint8 and not np.ma.is_masked(images):
        return torch.from_numpy(np.array(images, order="C"))
    return images if isinstance(images, Tensor) and images.dtype == torch.uint8 else None


def mend_of_type(dtype: torch.dtype, *, array: bool) -> str:
    """Return the mend for images of a type that no search takes, as written for an array."""
    floats = 'x.astype("float32")' if array else "x.float()"
    if dtype == torch.uint8:
        return f"Bytes are {floats} / 255."
    if dtype in (torch.float16, torch.bfloat16):
        return (
            f"Half precision rounds the steps of a search away: use {floats}, and torch.autocast "
            "or a cast within the model for speed."
        )
    return f"Use {floats}, with values in [0, 1]."
