"""The checks of a model's output for a batch."""

import torch
from torch import Tensor

from moat.errors import ModelError
from moat.public import public
from moat.threats.plain_tensors import plain_tensor, require_own_functions
from moat.types import Images, Logits

SUMMED = 1e-2  # what the sum of probabilities may be off by, rounded to bfloat16
UNFIT = Exception
"""The error of a network that cannot take the images: its code may raise any."""


@public
def require_logits(
    found: object, x: Images, classes: int | None = None, *, rounded: bool = False
) -> Tensor:
    """Return a model's output for images; raise ModelError if it does not have the form of logits.

    `classes` is the number of classes in the data, None if unknown. Half precision is refused
    unless `rounded` permits it. No value is read, so the host does not wait for a GPU.

    Example:
        >>> require_logits(torch.zeros(2, 10), torch.rand(2, 1, 8, 8), classes=10).shape
        torch.Size([2, 10])
    """
    images = len(x)
    if not isinstance(found, Tensor):
        raise ModelError(
            f"the model returns {a(type(found).__name__)}, not a tensor of logits.",
            hint="Wrap it in a module that returns the logits alone.",
        )
    require_own_functions(found)
    found = plain_tensor(found, "the logits that the model returns")
    if found.device != x.device:
        raise ModelError(
            f"the model returns logits on {found.device} for images on {x.device}.",
            hint="End its forward with logits.to(x.device).",
        )
    if found.layout != torch.strided:
        raise ModelError(
            f"the model returns a tensor of layout {found.layout}, not a dense one.",
            hint="Return logits.to_dense().",
        )
    shape = tuple(found.shape)
    if len(shape) != 2 or shape[0] != images:
        raise ModelError(
            f"the model returns {shape} for {images} image(s), where logits are ({images}, "
            f"{'classes' if classes is None else classes}).",
            hint="Return one row of logits for each image of the batch.",
        )
    if classes is not None and shape[1] != classes:
        raise ModelError(
            f"the model returns {shape[1]} logits for each image, but the data have {classes} "
            f"classes.",
            hint=f"Give it a last layer of {classes} outputs in the order of the data's classes, "
            "or evaluate it on the data of its training.",
        )
    if shape[1] < 2:
        raise ModelError(
            f"the model returns {shape[1]} logit for each image, without a competing class.",
            hint="For one logit z of two classes, return both: torch.cat([-z, z], 1) / 2.",
        )
    if not found.is_floating_point():
        raise ModelError(
            f"the model returns numbers of type {found.dtype}, which have no gradient.",
            hint="Return the logits, not the class: leave out the argmax.",
        )
    if found.dtype not in (torch.float32, torch.float64) and not rounded:
        raise ModelError(
            f"the model returns logits of type {found.dtype}, which rounds small differences away.",
            hint="Evaluate it in float32: model.float(), no autocast; or end its forward with "
            "logits.float().",
        )
    return found


@public
def require_no_probabilities(logits: Logits) -> None:
    """Raise ModelError for probabilities, on which a search overstates robustness.

    The values are read, for which the host waits for a GPU.

    Example:
        >>> require_no_probabilities(torch.tensor([[2.0, -1.0]]))
    """
    tolerance = SUMMED if len(logits) > 3 else SUMMED / 100  # few rows may be so by chance
    inside = ((logits >= 0) & (logits <= 1)).all()
    summed = ((logits.double().sum(1) - 1).abs() <= tolerance).all()
    if len(logits) and bool(inside & summed & (logits != logits[0, 0]).any()):
        raise ModelError(
            "the model returns probabilities: every row lies in [0, 1] and adds up to 1.",
            hint="Return logits: leave out the softmax. Its gradient vanishes for a confident "
            "model, and attacks would overstate its robustness.",
        )


@public
def require_classes(classes: int, largest: int) -> None:
    """Raise ModelError unless the model has a class for the largest label, counted from 0.

    Example:
        >>> require_classes(10, largest=9)
    """
    if largest >= classes:
        raise ModelError(
            f"a label is {largest}, but the model has {classes} classes, counted from 0.",
            hint="Number the classes as the model does, or use the model of these data.",
        )


def cannot_be_run(error: Exception, images: Images, before: int | None = None) -> ModelError:
    """Return the error of a model that fails on the images; it ran on `before` images earlier."""
    if before is not None and before != len(images):
        return ModelError(
            f"the model runs on a batch of {before} image(s), but not on {len(images)} "
            f"({said(error)}).",
            hint="Write it for any number of images: x.flatten(1), not x.reshape(128, -1); a "
            "traced or exported network needs a dynamic batch.",
        )
    hint = (
        "moat calls it with images (batch, channel, height, width) in [0, 1]: normalise and "
        "resize inside of it."
    )
    if looks_channels_last(images.shape):
        hint = "The images look like (batch, height, width, channel): use x.permute(0, 3, 1, 2)."
    elif "dtype" in str(error) or "same type" in str(error):
        hint = "Use one type for both: model.float(), x.float(); half precision by autocast."
    return ModelError(
        f"the model cannot be run on {str(images.dtype).removeprefix('torch.')} images of the "
        f"shape {tuple(images.shape)} ({said(error)}).",
        hint=hint,
    )


def looks_channels_last(shape: torch.Size) -> bool:
    """Say whether images look like (batch, height, width, channel): three axes tell.

    Example:
        >>> looks_channels_last(torch.Size([8, 16, 16, 3]))
        True
        >>> looks_channels_last(torch.Size([8, 64, 1, 1]))  # features, not pixels
        False
    """
    most = max(_CHANNELS)
    return shape[3] in _CHANNELS and shape[1] > most and shape[2] > most


_CHANNELS = (1, 3, 4)


def cannot_change_mode(mode: str, error: Exception) -> ModelError:
    """Return the error of a model whose own `train` or `eval` fails."""
    return ModelError(
        f"the network cannot be put into {mode} mode ({said(error)}).",
        hint="Remove its own train and eval, or let them call those of nn.Module: "
        "def train(self, mode=True): return super().train(mode).",
    )


def changes_images() -> ModelError:
    """Return the error of a model that writes into the images."""
    return ModelError(
        "the model changes its input images, and with them the search.",
        hint="Make its first layer work on a copy: x = x.clone(), x = x - mean instead of x -= "
        "mean, without inplace=True.",
    )


def changes_folder() -> ModelError:
    """Return the error of a model that changes the working folder, to which paths are relative."""
    return ModelError(
        "a call of the model changes the working folder, the start of relative paths.",
        hint="Remove os.chdir from its forward, and use absolute paths.",
    )


def no_gradient(why: str = "") -> ModelError:
    """Return the error of a model that cuts the graph; `why` comes in parentheses."""
    return ModelError(
        f"the gradient of the logits does not reach the images{why}, so a search by gradients "
        f"finds nothing.",
        hint="Remove the cut between image and logits: detach, no_grad, numpy, argmax, .data, a "
        "new tensor.",
    )


def said(error: Exception) -> str:
    """Return the type of an error and the first line of its text."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def a(name: str) -> str:
    """Return a name with its article."""
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
