"""Images and labels from a caller, converted for the searches or refused with the mend."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from moat.errors import ModelError
from moat.public import public
from moat.threats.arrays import mend_of_type
from moat.threats.logits import a, said
from moat.threats.plain_tensors import plain_tensor
from moat.types import Images, Labels

BOX_TOLERANCE = 1e-6  # intensity: by how much rounding may carry a pixel out of [0, 1]


class Inputs(NamedTuple):
    """Images in [0, 1], int64 labels on their device, and the largest label (-1 without any).

    Example:
        >>> x, y, largest = batch_of(torch.rand(2, 1, 8, 8), [3, 7])
        >>> x.shape, y, largest
        (torch.Size([2, 1, 8, 8]), tensor([3, 7]), 7)
    """

    images: Images
    labels: Labels
    largest: int


@public
def batch_of(x: Any, y: Any, device: torch.device | None = None) -> Inputs:
    """Return images and labels as a search takes them.

    Unambiguous input is converted: NumPy's arrays, labels of any integer type, of the shape (batch,
    1) or on another device. Pixels beyond the box by rounding are clamped. `device` is the model's.
    Raises ModelError with the mend for anything else. The values are read once, for which the host
    waits for a GPU.

    Example:
        >>> inputs = batch_of(torch.rand(2, 1, 8, 8), torch.tensor([[3], [7]], dtype=torch.int32))
        >>> inputs.labels, inputs.largest
        (tensor([3, 7]), 7)
    """
    images = _usable(_images(x, device))
    labels = _usable(_labels(y, images))
    if not len(images):
        return Inputs(images, labels, -1)
    extremes = (*images.detach().aminmax(), *labels.aminmax())
    low, high, least, largest = torch.stack([one.double() for one in extremes]).tolist()
    _require_from_zero(least)
    if not (low >= 0 and high <= 1):  # NaN is outside, too
        _require_near_the_box(low, high)
        images = images.clamp(0, 1)
    return Inputs(images, labels, int(largest))


def _usable(tensor: Tensor) -> Tensor:
    """Return a tensor that autograd can keep: a copy of one that inference_mode made."""
    return tensor.clone() if tensor.is_inference() else tensor


@public
def largest_of(labels: Labels) -> int:
    """Return the largest label, -1 without any; raise ModelError for a negative one.

    Example:
        >>> largest_of(torch.tensor([3, 7]))
        7
    """
    if not len(labels):
        return -1
    least, largest = torch.stack(labels.aminmax()).tolist()
    _require_from_zero(least)
    return int(largest)


def _require_from_zero(least: float) -> None:
    if least < 0:
        raise ModelError(
            f"labels count the classes from 0, but one is {int(least)}.",
            hint="Leave out the examples without a label.",
        )


def _images(x: Any, device: torch.device | None) -> Images:
    array = isinstance(x, np.ndarray)
    if array:
        x = _from_numpy(x, "images").to(device or "cpu")
    if not isinstance(x, Tensor):
        raise ModelError(
            f"images are a tensor (batch, channel, height, width), not {a(type(x).__name__)}.",
            hint="Stack them into one float tensor: torch.stack([...]), values in [0, 1].",
        )
    with torch._C.DisableTorchFunctionSubclass():
        nested = x.is_nested
    if nested:
        raise ModelError(
            "images are one tensor of a single size, not a nested one.",
            hint="Resize them to one size and stack them: torch.stack([...]).",
        )
    images = plain_tensor(x, "the images")
    if images.layout != torch.strided:
        raise ModelError(
            f"images are a dense tensor, not {images.layout}.", hint="Take x.to_dense()."
        )
    if images.ndim != 4:
        raise ModelError(
            f"images are (batch, channel, height, width), not of the shape {tuple(images.shape)}.",
            hint="Add the missing axis: x[None] for one image, x[:, None] for grey ones.",
        )
    if images.dtype not in (torch.float32, torch.float64):
        raise ModelError(
            f"images are float32 or float64, not {_name(images.dtype)}.",
            hint=mend_of_type(images.dtype, array=array),
        )
    if len(images) and not images.numel():
        raise ModelError(f"the images have no pixels: their shape is {tuple(images.shape)}.")
    if device is not None and images.device != device:
        raise ModelError(
            f"the images are on {images.device}, but the model is on {device}.",
            hint=f"Move both to one device: x.to({str(device)!r}).",
        )
    if images.is_meta:
        raise ModelError(
            "the images are on the device meta, without values.", hint="Load them anew."
        )
    return images


def _require_near_the_box(low: float, high: float) -> None:
    if low >= -BOX_TOLERANCE and high <= 1 + BOX_TOLERANCE:
        return
    if low >= 0 and 1.5 < high <= 255:
        hint = "Divide bytes by 255; normalisation is the first layer of the model."
    else:
        hint = "Make normalisation the first layer of the model."
    if low != low:
        hint = "Look for the origin of the values that are not numbers."
    raise ModelError(f"images lie in [0, 1], not in [{_shown(low)}, {_shown(high)}].", hint=hint)


def _shown(value: float) -> str:
    """Return a value with three digits, or with as many as tell it from 0 and 1.

    Example:
        >>> _shown(2.6449), _shown(1.00002), _shown(-2e-05)
        ('2.64', '1.00002', '-2e-05')
    """
    short = f"{value:.3g}"
    return f"{value:.8g}" if float(short) in (0, 1) and value not in (0, 1) else short


def _labels(y: Any, images: Images) -> Labels:
    if isinstance(y, np.ndarray | list | tuple):
        y = _from_numpy(y, "labels")
    if not isinstance(y, Tensor):
        raise ModelError(
            f"labels are a tensor of integers (batch,), not {a(type(y).__name__)}.",
            hint="Give each image the number of its class, counted from 0.",
        )
    with torch._C.DisableTorchFunctionSubclass():
        nested = y.is_nested
    labels = plain_tensor(y, "the labels") if not nested else y
    if nested or labels.layout != torch.strided:
        raise ModelError(
            f"labels are a dense tensor, not {'a nested one' if nested else labels.layout}.",
            hint="Give each image the number of its class, counted from 0: y.to_dense().",
        )
    if labels.is_meta or labels.is_quantized:
        what = "are on the device meta" if labels.is_meta else f"are {_name(labels.dtype)}"
        raise ModelError(
            f"labels {what}, not readable integers.",
            hint="Give each image the number of its class, counted from 0, as int64.",
        )
    count = len(images)
    if not count and not labels.numel():
        return labels.new_zeros(0, dtype=torch.long, device=images.device)
    whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if labels.ndim == 2 and labels.shape == (count, 1) and whole:
        labels = labels.squeeze(1)
    if labels.ndim == 2 and len(labels) == count:
        raise ModelError(
            f"labels are one class for each image, not a row of {labels.shape[1]} numbers.",
            hint="For one-hot rows or probabilities, use y.argmax(1).",
        )
    if labels.shape != (count,):
        raise ModelError(
            f"{count} image(s) have {count} label(s), not labels of the shape "
            f"{tuple(labels.shape)}.",
            hint="Give each image the number of its class, counted from 0.",
        )
    if not whole:
        raise ModelError(
            f"labels are integers, not {_name(labels.dtype)}.",
            hint="If they count the classes from 0, use y.long().",
        )
    return labels.to(device=images.device, dtype=torch.long)


def _from_numpy(values: Any, what: str) -> Tensor:
    """Return a copy: torch warns of arrays that cannot be written to."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ModelError(
            f"{what} have masked entries.",
            hint="Fill them, or leave these examples out: x.filled(0), x[~mask].",
        )
    try:
        array = np.asarray(values)
        return torch.tensor(np.array(array, array.dtype.newbyteorder("="), order="C"), device="cpu")
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{what} must be numbers ({said(error)}).",
            hint="Make a tensor of them.",
        ) from error


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
