"""The rules for a model under evaluation, checked on a few images."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from moat.environment import same_folder, working_folder
from moat.errors import ModelError
from moat.models.copies import copy_of
from moat.passes import is_out_of_memory
from moat.precision import plain_torch, tensor_float_32
from moat.threats import (
    LiveBytes,
    attacked,
    batch_of,
    guarded_network,
    require_logits,
    require_no_probabilities,
)
from moat.threats.logits import (
    cannot_be_run,
    changes_folder,
    changes_images,
    no_gradient,
    said,
)
from moat.threats.plain_tensors import plain_tensor, require_own_functions
from moat.types import Images, Logits

FEW_EXAMINED = 32  # images that suffice
REPEATED = 1e-4  # relative: what two calls on the same images may differ by
ALONE = 1e-3  # relative: what an image may get otherwise beside others


class Seen(NamedTuple):
    """The findings of a look at a model: its classes, and the bytes of a pass for each image."""

    classes: int
    image_bytes: int


@guarded_network
@plain_torch()
def check_model(
    model: nn.Module, x: Images, classes: int | None, *, searched: bool = True
) -> int | None:
    """Return how many classes the model has, if an evaluation can rest on what it returns.

    That is: logits of so many classes (None: of any), the same in every call, of each image alone,
    the images left as they are and, where it is `searched` by gradients, differentiable. Logits
    that are not finite pass: a model that diverged is scored as what it is. Raises ModelError with
    the mend for any other.

    The first few images suffice; of none, None is returned. The model and the global random state
    are left as they were.
    """
    return examined(model, x, classes, searched=searched).classes if len(x) else None


@guarded_network
def examined(model: nn.Module, x: Images, classes: int | None, *, searched: bool = True) -> Seen:
    """Return what is seen of a model on the way, if `check_model` lets it pass.

    Where a device has no memory for a few images, fewer are looked at.
    """
    x = x[:FEW_EXAMINED]
    while True:
        try:
            return _looked_at(model, x, classes, searched)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            said = str(error)
        if len(x) == 1:  # here: an error holds what was computed before it
            raise no_memory_for_an_image(said)
        x = x[: len(x) // 2]


def no_memory_for_an_image(said: str) -> ModelError:
    """Return the error of a device that is too small for any pass."""
    return ModelError(
        f"the device has too little memory for a pass of one image: {said}",
        hint="Free memory of the device, or use a larger one.",
    )


def _looked_at(model: nn.Module, x: Images, classes: int | None, searched: bool) -> Seen:
    x = batch_of(x, torch.zeros(len(x), dtype=torch.long)).images
    image_bytes = 0
    with _apart(model, x):
        logits = _logits(model, x)
        require_logits(logits, x, classes)
        require_no_probabilities(logits)
        _require_the_same_again(model, x, logits)
        _require_alone_as_beside_others(model, x, logits)
        if searched:
            image_bytes = _require_gradient(model, x)
    return Seen(logits.shape[1], image_bytes)


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
    given, before = x.clone(), working_folder()
    try:
        with same_folder(), torch.no_grad():
            found = model(given)
            moved = working_folder() != before
    except Exception as error:  # a foreign model may raise anything
        if is_out_of_memory(error):
            raise
        raise cannot_be_run(error, x) from error
    if moved:
        raise changes_folder()
    if not torch.equal(given, x):
        raise changes_images()
    if not isinstance(found, Tensor):
        require_logits(found, x)
    assert isinstance(found, Tensor)
    require_own_functions(found)
    return plain_tensor(found, "the logits that the model returns")


def _require_the_same_again(model: nn.Module, x: Images, logits: Logits) -> None:
    found = difference(_logits(model, x), logits)
    if found > REPEATED:
        raise ModelError(
            "the model answers at random: in eval mode, two calls on the same images differ by "
            f"{found:.1g} of their largest logit.",
            hint="Draw only in training: F.dropout(x, training=self.training), noise where "
            "self.training. One search cannot evaluate a defence that draws at every call.",
        )


def _require_alone_as_beside_others(model: nn.Module, x: Images, logits: Logits) -> None:
    if len(x) < 2:
        return
    try:
        found = difference(_logits(model, x[:1]), logits[:1])
        if found > ALONE and not _is_rounding(model, x):
            said = f"differs by {found:.1g} of its largest logit where the image is alone"
        else:
            return
    except ModelError as error:
        said = f"fails for one image alone: {error.message}"
    raise ModelError(
        "the model's answer to an image depends on the others in its batch: it "
        f"{said.removesuffix('.')}.",
        hint="In eval mode, batch norm must use its running statistics: track_running_stats=True, "
        "and weights saved with their running means. No other layer may mix images.",
    )


def _is_rounding(model: nn.Module, x: Images) -> bool:
    """Say whether the difference vanishes in float64: then a model that diverged amplified it."""
    if (exact := copy_of(model)) is None:
        return False
    try:
        exact = exact.double()
        alone, beside = _logits(exact, x[:1].double()), _logits(exact, x.double())[:1]
    except Exception:  # not every model speaks float64
        return False
    return difference(alone, beside) <= ALONE


def _require_gradient(model: nn.Module, x: Images) -> int:
    """Return how many bytes a forward and backward take for an image."""
    x = x[:2].clone().requires_grad_()
    counted = LiveBytes()
    try:
        with counted:
            logits = model(x)
            reached = logits.requires_grad and (
                torch.autograd.grad(logits.sum(), x, allow_unused=True)[0] is not None
            )
        why = ""
    except Exception as error:  # a foreign model may raise anything
        if is_out_of_memory(error):
            raise
        reached, why = False, f" ({said(error)})"
    if not reached:
        raise no_gradient(why)
    return counted.most // len(x)


def difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference of finite logits, as a share of the largest of them.

    Example:
        >>> difference(torch.tensor([[1.0, -2.0]]), torch.tensor([[1.5, -2.0]]))
        0.25
        >>> difference(torch.tensor([[0.0, torch.nan]]), torch.tensor([[0.0, 3.0]]))
        0.0
    """
    if one.shape != other.shape:
        return float("inf")
    finite = one.isfinite() & other.isfinite()
    one, other = one[finite].double(), other[finite].double()
    if not one.numel() or torch.equal(one, other):
        return 0.0
    return ((one - other).abs().max() / torch.maximum(one.abs(), other.abs()).max()).item()
