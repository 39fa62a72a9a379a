"""The loss that the parameters descend: its computation, and the checks of its form."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from moat.errors import DefinitionError
from moat.passes import is_out_of_memory
from moat.threats.arguments import in_words
from moat.threats.logits import UNFIT, said
from moat.types import Labels, Logits, PerExample

DescentLoss = Callable[..., PerExample]
"""From logits (batch, classes) and labels (batch,) to the loss of each example, (batch,).

One with an attribute `partner`, the name of an objective, takes that objective's logits as well.
"""


def loss_of(
    loss: DescentLoss, logits: Logits, labels: Labels, other: Logits | None = None
) -> PerExample:
    """Return the loss of each example; `other` has the partner's logits. No value is read.

    Raises DefinitionError with the mend for a loss that fails, that has another shape than
    (batch,), such as a mean over the batch, or that has no gradient.
    """
    try:
        found: Any = loss(logits, labels) if other is None else loss(logits, labels, other)
    except UNFIT as error:
        if is_out_of_memory(error):
            raise
        more = "" if other is None else ", and its partner's logits"
        raise DefinitionError(
            f"the loss cannot be computed from logits {tuple(logits.shape)} and labels "
            f"{tuple(labels.shape)}{more} ({said(error)}).",
            hint=f"It needs {'both' if other is None else 'all three'} on the logits' device, and "
            "returns one number for each example.",
        ) from error
    if not isinstance(found, Tensor):
        raise DefinitionError(
            f"the result of the loss is {in_words(found)}, not a tensor.",
            hint="Return one number for each example, as F.cross_entropy(..., reduction='none') "
            "does.",
        )
    if found.shape != labels.shape:
        mean = found.numel() == 1
        raise DefinitionError(
            f"the loss returns the shape {tuple(found.shape)} for {len(labels)} example(s), not "
            f"({len(labels)},){', a number for the whole batch' if mean else ''}.",
            hint='Do not reduce the batch: reduction="none".'
            if mean
            else "Return one number for each example: sum or average over the other axes.",
        )
    if not found.is_floating_point() or (logits.requires_grad and not found.requires_grad):
        raise DefinitionError(
            "the loss has no gradient to the logits.",
            hint="Compute it from the logits themselves, without detach, argmax or no_grad.",
        )
    return found


def require_loss(loss: Any, name: str = "") -> None:
    """Raise DefinitionError for anything but a function of logits and labels."""
    if isinstance(loss, type) or not callable(loss):
        what = f"the loss of {name!r}" if name else "the loss"
        raise DefinitionError(
            f"{what} is {in_words(loss)}, not a function of logits and labels.",
            hint='Use torch.nn.CrossEntropyLoss(reduction="none"), or leave it out.',
        )


def require_scale(scale: Any) -> None:
    """Raise DefinitionError for an invalid factor of the gradients; no tensor is read."""
    if isinstance(scale, Tensor):
        fit = scale.numel() == 1 and scale.is_floating_point()
    else:
        number = isinstance(scale, int | float) and not isinstance(scale, bool)
        fit = number and math.isfinite(scale) and scale > 0
    if not fit:
        given = tuple(scale.shape) if isinstance(scale, Tensor) else scale
        raise DefinitionError(
            f"scale is one number above 0, not {given!r}.",
            hint="Use 1 / n if n batches make a step, or scaler.get_scale() of a GradScaler.",
        )


def example_weights(weight: Any, images: Tensor) -> PerExample | None:
    """Return the weight of each example on the images' device, or None without weights.

    Raises DefinitionError for another shape, and for weights that are negative or not finite. The
    values are read once, for which the host waits for a GPU.
    """
    if weight is None:
        return None
    mend = "Give each image one number, 0 or more: torch.ones(len(x)) changes nothing."
    try:
        given = torch.as_tensor(weight, dtype=images.dtype, device=images.device).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise DefinitionError(
            f"the examples' weights are {in_words(weight)}, not numbers.", hint=mend
        ) from error
    if given.shape != (len(images),):
        raise DefinitionError(
            f"the examples' weights have the shape {tuple(given.shape)}, for {len(images)} "
            "image(s).",
            hint=mend,
        )
    if len(given) and not bool((given.isfinite() & (given >= 0)).all()):
        raise DefinitionError("the examples' weights are not all finite and 0 or more.", hint=mend)
    return given
