"""A check that a network can be trained: parameters, train mode, one backward."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from moat.errors import MoatError, ModelError
from moat.losses import cross_entropy
from moat.models.copies import copy_of
from moat.models.saved_state import saved_state
from moat.passes import is_out_of_memory
from moat.public import public
from moat.runs.weights import require_kept
from moat.scalarizers import GradientScalarizer, Scalarizer
from moat.threats import bare, door, is_trusted, largest_of, require_classes, require_logits
from moat.threats.arguments import require_channels
from moat.threats.cautions import warn_of_wide_radii
from moat.threats.logits import (
    UNFIT,
    cannot_be_run,
    cannot_change_mode,
    changes_images,
    require_no_probabilities,
    said,
)
from moat.training.arguments import require_arguments
from moat.training.descent_loss import example_weights
from moat.training.faults import taken_alone
from moat.training.measuring import has_batch_norm
from moat.training.step_settings import WITH_DEFAULTS
from moat.types import Images, Labels, Logits

FEW_TRIED = 8  # images that suffice

Door = TypeVar("Door", bound=Callable[..., Any])


def guarded_step(step: Door) -> Door:
    """Return a training step behind the same door as a search; `trusted` opens it, too."""

    @public
    @wraps(step)
    def behind(
        model: Any,
        optimizer: Any,
        threats: Any,
        scalarizer: Any,
        x: Any,
        y: Any,
        settings: Any = WITH_DEFAULTS,
    ) -> Any:
        if is_trusted():
            return step(model, optimizer, threats, scalarizer, x, y, settings)
        require_arguments(optimizer, threats, scalarizer, settings)
        require_parameters(model, scalarizer, optimizer)
        with door(model, x, y) as (network, images, labels):
            if not len(images):
                raise ModelError("the batch is empty.")
            for label, threat in threats.items():
                require_channels(threat, images.shape[1], label)
            warn_of_wide_radii(threats, images.shape[1:])
            settings = replace(settings, weight=example_weights(settings.weight, images))
            with taken_alone():
                return step(network, optimizer, threats, scalarizer, images, labels, settings)

    return cast(Door, behind)


def require_parameters(
    model: Any, scalarizer: Scalarizer, optimizer: torch.optim.Optimizer | None = None
) -> None:
    """Raise ModelError for a network without parameters that this training can move."""
    if isinstance(model, DistributedDataParallel):
        raise ModelError(
            "the network is wrapped in DistributedDataParallel, whose hooks never see moat's "
            "gradients.",
            hint="Pass the network itself, model.module. With several processes, average its "
            "gradients between step.backward and step.update of moat.training.Step.",
        )
    trained = {n: p for n, p in bare(model).named_parameters() if p.requires_grad}
    if not trained:
        raise ModelError(
            "the network has no parameter that requires a gradient, so training has no effect.",
            hint="Register its layers as attributes, and undo model.requires_grad_(False).",
        )
    for name, parameter in trained.items():
        if parameter.layout != torch.strided:
            raise ModelError(
                f"the parameter {name} is of layout {parameter.layout}, which a step cannot move.",
                hint="Keep it dense, and make it sparse in the forward: self.weight.to_sparse().",
            )
        if parameter.is_complex() and isinstance(scalarizer, GradientScalarizer):
            raise ModelError(
                f"the parameter {name} is complex, and the scalarizer {type(scalarizer).__name__} "
                "weighs real gradients.",
                hint="Keep it as real numbers, and make it complex in the forward: "
                "torch.view_as_complex.",
            )
    if optimizer is not None:
        moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not any(id(parameter) in moved for parameter in trained.values()):
            raise ModelError(
                "the optimizer moves none of the network's parameters.",
                hint="Create it with model.parameters(), after moving the model to its device.",
            )


@public
def check_trainable(network: nn.Module, x: Images, labels: Tensor, scalarizer: Scalarizer) -> None:
    """Raise ModelError with the mend unless one forward and backward in train mode succeed.

    The first few images suffice, fewer if the device lacks memory; `labels` are those of the whole
    data set. The network's state must survive its checkpoint. The network and the global random
    state stay unchanged.

    Example:
        >>> from moat.scalarizers import Average
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> check_trainable(network, torch.rand(4, 1, 8, 8), torch.arange(4), Average())
    """
    require_parameters(network, scalarizer)
    require_kept(saved_state(network))
    _require_finite(network)
    x = x[:FEW_TRIED]
    if len(x):
        _require_train_mode(network)
    while len(x):
        try:
            _try(network, x, labels)
            return
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            said = str(error)
        if len(x) == 1 or (len(x) == 2 and has_batch_norm(network)):  # which has no variance of one
            raise ModelError(
                f"the device has too little memory for a pass of {len(x)} image(s): {said}",
                hint="Free memory of the device, or use a larger one.",
            )
        x = x[: len(x) // 2]


def _try(network: nn.Module, x: Images, labels: Tensor) -> None:
    with trial(network, x) as tried:
        try:
            logits = _logits(tried, x)
            require_no_probabilities(logits.detach())
        except ModelError as error:
            raise ModelError(f"in train mode, {error.message}", hint=error.hint) from error
        require_classes(logits.shape[1], largest_of(labels))
        _require_gradient(tried, logits, labels[: len(x)].long())


@contextmanager
def trial(network: nn.Module, x: Images) -> Iterator[nn.Module]:
    """Yield a network in train mode, a copy if possible; the global random state is restored."""
    copied = copy_of(network)
    tried = network if copied is None else copied  # what cannot be copied is put back
    devices = [x.device] if x.is_cuda else []
    with (
        _as_before(network),
        torch.random.fork_rng(devices),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        to_train(tried)
        yield tried


@contextmanager
def _as_before(network: nn.Module) -> Iterator[None]:
    """Put a network's flags and buffers back to what they were, also those that grew."""
    training = {module: module.training for module in network.modules()}
    held = {name: (buffer, buffer.clone()) for name, buffer in network.named_buffers()}
    try:
        yield
    finally:
        for module, flag in training.items():
            module.training = flag
        for name, (buffer, before) in held.items():
            place, _, key = name.rpartition(".")
            owner = network.get_submodule(place)
            if getattr(owner, key) is not buffer:
                setattr(owner, key, buffer)
            if not torch.equal(buffer.to_dense(), before.to_dense()):
                buffer.copy_(before)


def to_train(network: nn.Module) -> None:
    """Put a network in train mode; raise ModelError if its own `train` fails."""
    try:
        network.train()  # which many override and return nothing
    except NotImplementedError:  # as of what torch.export made
        raise
    except MoatError:
        raise
    except UNFIT as error:
        raise cannot_change_mode("train", error) from error


def _require_train_mode(network: nn.Module) -> None:
    """Raise ModelError where a network stays in the mode that it was made in; a copy may not."""
    training = {module: module.training for module in network.modules()}
    try:
        to_train(network)
    except NotImplementedError as error:
        raise ModelError(
            f"the network cannot be put into train mode ({said(error)}).",
            hint="A network from torch.export keeps its mode: train the original module.",
        ) from error
    finally:
        for module, flag in training.items():
            module.training = flag


def _logits(network: nn.Module, x: Images) -> Logits:
    given = x.clone()
    version = given._version
    try:
        found = network(given)
    except MoatError:
        raise
    except UNFIT as error:
        if is_out_of_memory(error):
            raise
        raise cannot_be_run(error, x) from error
    if given._version != version or not torch.equal(given.detach(), x):
        raise changes_images()
    logits = require_logits(found, x)
    if bool(logits.isnan().any()):
        raise ModelError(
            "the model answers with NaN before its training.",
            hint="Look for a division by 0, the logarithm or root of a negative number, and "
            "parameters that were never initialised.",
        )
    return logits


def _require_finite(network: nn.Module) -> None:
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and not bool(parameter.detach().isfinite().all()):
            raise ModelError(
                f"the parameter {name} is not finite before the training.",
                hint="Initialise it, or load its weights again.",
            )


def _require_gradient(network: nn.Module, logits: Logits, y: Labels) -> None:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    reached, why = False, ""
    if logits.requires_grad:
        try:
            loss = cross_entropy(logits, y).mean()
            found = torch.autograd.grad(loss, parameters, allow_unused=True)
            reached = any(gradient is not None for gradient in found)
        except MoatError:
            raise
        except UNFIT as error:
            if is_out_of_memory(error):
                raise
            why = f" ({said(error)})"
    if not reached:
        raise ModelError(
            f"in train mode, the gradient of the loss does not reach the parameters{why}, so "
            f"training has no effect.",
            hint="Remove the cut: detach, no_grad, .data, in-place changes of tensors that the "
            "backward needs, new parameters in the forward.",
        )
