"""The device of a model, and so of its images."""

import torch
from torch import nn

from moat.public import public


@public
def device_of(model: nn.Module, x: object = None) -> torch.device | None:
    """Return the device of the model's images, None if no parameter states it.

    For a model on several devices, that of the images x if they are on one of them.

    Example:
        >>> device_of(nn.Linear(2, 2))
        device(type='cpu')
    """
    devices = list(dict.fromkeys(parameter.device for parameter in model.parameters()))
    with torch._C.DisableTorchFunctionSubclass():
        own = getattr(x, "device", None)
    return own if own in devices else next(iter(devices), None)


@public
def home_of(model: nn.Module) -> torch.device:
    """Return the device for the model's images: the CPU if no parameter states another.

    Example:
        >>> home_of(nn.Flatten())
        device(type='cpu')
    """
    return device_of(model) or torch.device("cpu")
