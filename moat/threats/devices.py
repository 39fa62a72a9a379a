"""The device of a model and of its images."""

import torch
from torch import nn

from moat.public import public


@public
def device_of(model: nn.Module, x: object = None) -> torch.device | None:
    """Return the device of the model's images, or None if no parameter has one.

    For a model on several devices, it is the device of the images x if that is one of them.

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
    """Return the device for the model's images: the CPU if no parameter has another.

    Example:
        >>> home_of(nn.Flatten())
        device(type='cpu')
    """
    return device_of(model) or torch.device("cpu")
