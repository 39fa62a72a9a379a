"""What a model must keep to before its scores mean anything, seen on a few images."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from moat.errors import ModelError
from moat.precision import tensor_float_32
from moat.threats import attacked, require_images
from moat.types import Images, Logits

FEW = 32  # images that suffice
REPEATED = 1e-4  # relative: what two calls on the same images may differ by
ALONE = 1e-3  # relative: what an image may get otherwise beside others
SUMMED = 1e-3  # what the sum of probabilities may be off by


def check_model(model: nn.Module, x: Images, classes: int | None, *, searched: bool = True) -> None:
    """Raise ModelError with the mend, unless the model returns what an evaluation can rest on.

    That is: logits of so many classes (None: of any), the same in every call, of each image alone,
    the images left as they are and, where it is `searched` by gradients, differentiable. Logits
    that are not finite pass: a model that diverged is scored as what it is.

    The first few images suffice. The model and the global random state are left as they were.
    """
    x = x[:FEW]
    if not len(x):
        return
    require_images(x, x.new_zeros(len(x), dtype=torch.long))
    with _apart(model, x):
        logits = _logits(model, x)
        _require_form(logits, len(x), classes)
        _require_no_probabilities(logits)
        _require_the_same_again(model, x, logits)
        _require_alone_as_beside_others(model, x, logits)
        if searched:
            _require_gradient(model, x)


def non_finite_share(logits: Logits) -> float:
    """Return the share of examples with a logit that is infinite or no number."""
    return (~logits.isfinite().all(1)).float().mean().item() if len(logits) else 0.0


@contextmanager
def _apart(model: nn.Module, x: Images) -> Iterator[None]:
    """Evaluate as an evaluation does, and leave no trace in the flags and the random state."""
    devices = [x.device] if x.is_cuda else []
    with tensor_float_32(False), torch.random.fork_rng(devices), attacked(model):
        yield


def _logits(model: nn.Module, x: Images) -> Tensor:
    """Return what the model says of the images, which it must leave as they are."""
    given = x.clone()
    try:
        with torch.no_grad():
            found = model(given)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # a foreign model may raise anything
        raise ModelError(
            f"the model cannot be run on {str(x.dtype).removeprefix('torch.')} images of the shape "
            f"{tuple(x.shape)} ({_said(error)}).",
            hint="It is called with images (batch, channel, height, width) in [0, 1], as many as "
            "fit: normalise and resize inside of it.",
        ) from error
    if not torch.equal(given, x):
        raise ModelError(
            "the model changes the images that it is given, and with them what is searched.",
            hint="Let its first layer work on a copy: x = x.clone(), x = x - mean and not x -= "
            "mean, no inplace=True.",
        )
    if not isinstance(found, Tensor):
        raise ModelError(
            f"the model returns {_a(type(found).__name__)} and no tensor of logits.",
            hint="Wrap it in a module that returns the logits alone.",
        )
    return found


def _require_form(logits: Tensor, images: int, classes: int | None) -> None:
    shape = tuple(logits.shape)
    if len(shape) != 2 or shape[0] != images:
        raise ModelError(
            f"the model returns {shape} for {images} image(s), where logits are ({images}, "
            f"{'classes' if classes is None else classes}).",
            hint="Return one row of logits for each image of the batch.",
        )
    if classes is not None and shape[1] != classes:
        raise ModelError(
            f"the model returns {shape[1]} logits an image, and the data have {classes} classes.",
            hint=f"Give it a last layer of {classes} outputs in the order of the data's classes, "
            "or evaluate it on the data that it was trained on.",
        )
    if not logits.is_floating_point():
        raise ModelError(
            f"the model returns numbers of type {logits.dtype}, which have no gradient.",
            hint="Return the logits, and not the class: leave out the argmax.",
        )
    if logits.dtype not in (torch.float32, torch.float64):
        raise ModelError(
            f"the model returns logits of type {logits.dtype}, which loses small differences.",
            hint="Evaluate it in float32: model.float(), no autocast; or end its forward with "
            "logits.float().",
        )


def _require_no_probabilities(logits: Logits) -> None:
    """A softmax flattens the loss, so that a search on it finds less than there is."""
    tolerance = SUMMED if len(logits) > 3 else SUMMED / 100  # few rows may be so by chance
    inside = bool(((logits >= 0) & (logits <= 1)).all())
    summed = bool(((logits.double().sum(1) - 1).abs() <= tolerance).all())
    if inside and summed and bool((logits != logits[0, 0]).any()):
        raise ModelError(
            "the model returns probabilities: every row lies in [0, 1] and adds up to 1.",
            hint="Return logits: leave out the softmax. Its gradient vanishes where the model is "
            "sure, and attacks would find less than there is.",
        )


def _require_the_same_again(model: nn.Module, x: Images, logits: Logits) -> None:
    found = _difference(_logits(model, x), logits)
    if found > REPEATED:
        raise ModelError(
            "the model answers at random: in eval mode, two calls on the same images differ by "
            f"{found:.1g} of their largest logit.",
            hint="Draw only in training: F.dropout(x, training=self.training), noise where "
            "self.training. A defence that draws at every call cannot be judged by one search.",
        )


def _require_alone_as_beside_others(model: nn.Module, x: Images, logits: Logits) -> None:
    if len(x) < 2:
        return
    try:
        found = _difference(_logits(model, x[:1]), logits[:1])
        if found > ALONE and not _is_rounding(model, x):
            said = f"differs by {found:.1g} of its largest logit where the image is alone"
        else:
            return
    except ModelError as error:
        said = f"cannot be had for one image alone: {error.message}"
    raise ModelError(
        "what the model returns for an image depends on the others in its batch: it "
        f"{said.removesuffix('.')}.",
        hint="In eval mode, batch norm must use what it has counted: track_running_stats=True, and "
        "weights saved with their running means. Nothing else may mix images.",
    )


def _is_rounding(model: nn.Module, x: Images) -> bool:
    """Say whether the difference vanishes in float64: then a model that diverged amplified it."""
    try:
        exact = copy.deepcopy(model).double()
        alone, beside = _logits(exact, x[:1].double()), _logits(exact, x.double())[:1]
    except Exception:  # not every model can be copied, or speaks float64
        return False
    return _difference(alone, beside) <= ALONE


def _require_gradient(model: nn.Module, x: Images) -> None:
    x = x[:2].clone().requires_grad_()
    try:
        logits = model(x)
        reached = logits.requires_grad and (
            torch.autograd.grad(logits.sum(), x, allow_unused=True)[0] is not None
        )
        why = ""
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # a foreign model may raise anything
        reached, why = False, f" ({_said(error)})"
    if not reached:
        raise ModelError(
            f"the gradient of the logits does not reach the images{why}, so that no search by "
            "gradients finds anything.",
            hint="Leave out what cuts it between image and logits: detach, no_grad, numpy, argmax, "
            ".data, a tensor made anew.",
        )


def _difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference of finite logits, as a share of the largest of them.

    Example:
        >>> _difference(torch.tensor([[1.0, -2.0]]), torch.tensor([[1.5, -2.0]]))
        0.25
        >>> _difference(torch.tensor([[0.0, torch.nan]]), torch.tensor([[0.0, 3.0]]))
        0.0
    """
    if one.shape != other.shape:
        return float("inf")
    finite = one.isfinite() & other.isfinite()
    one, other = one[finite].double(), other[finite].double()
    if not one.numel() or torch.equal(one, other):
        return 0.0
    return ((one - other).abs().max() / torch.maximum(one.abs(), other.abs()).max()).item()


def _said(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _a(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
