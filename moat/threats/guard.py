"""The guard at every door: model, images and labels are valid, or refused by name.

A door is whatever takes a user's model and batch: `perturb`, `search`, `train_step`. Behind a door
the search computes in the images' own type, whatever autocast and defaults surround it, and the
network as its caller has it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from moat.errors import MoatError, ModelError
from moat.passes import is_out_of_memory
from moat.precision import Context, plain_torch
from moat.public import public
from moat.threats.arguments import (
    require_channels,
    require_generator,
    require_pass_size,
    require_searched,
)
from moat.threats.arrays import as_network_takes
from moat.threats.batch import batch_of
from moat.threats.cautions import (
    warn_of_channels_last,
    warn_of_infinite_logits,
    warn_of_wide_radii,
)
from moat.threats.devices import device_of
from moat.threats.logits import (
    UNFIT,
    cannot_be_run,
    changes_images,
    no_gradient,
    require_classes,
    require_logits,
    require_no_probabilities,
)
from moat.types import Images, Labels, Logits

_BEHIND: ContextVar[bool] = ContextVar("behind a door", default=False)


Door = TypeVar("Door", bound=Callable[..., Any])


@public
@contextmanager
def door(model: Any, x: Any, y: Any) -> Iterator[tuple[nn.Module, Images, Labels]]:
    """Yield a model, images and labels for a search; raise ModelError for invalid ones.

    See `batch_of` for conversions, `bare` for models. The form of the model's output is checked in
    every forward, its values only in the first. A door within a door, or within `trusted`, checks
    nothing.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> with door(network, torch.rand(2, 1, 8, 8), [3, 7]) as (model, x, y):
        ...     model(x).shape, y
        (torch.Size([2, 10]), tensor([3, 7]))
    """
    if _BEHIND.get():
        yield model, x, y
        return
    network = bare(model)
    with trusted(), plain_torch() as as_before:
        taken = as_network_takes(network, x)
        images, labels, largest = batch_of(taken, y, device_of(network, x))
        watched = _Watched(network, as_before, largest, images.shape)
        yield watched, images, labels
        _warn_of_logits(watched)


@public
@contextmanager
def trusted() -> Iterator[None]:
    """Open every door inside: its input was checked before.

    For a training loop, which checks its data set once and whose steps wait for no GPU.

    Example:
        >>> with trusted():
        ...     is_trusted()
        True
    """
    token = _BEHIND.set(True)
    try:
        yield
    finally:
        _BEHIND.reset(token)


@public
def is_trusted() -> bool:
    """Say whether doors check nothing here.

    Example:
        >>> is_trusted()
        False
    """
    return _BEHIND.get()


def guarded(perturb: Door) -> Door:
    """Return a threat's `perturb` behind the door."""

    @public
    @wraps(perturb)
    def behind(self: Any, model: Any, x: Any, y: Any, **more: Any) -> Any:
        require_generator(more.get("generator"))
        with door(model, x, y) as (network, images, labels):
            require_channels(self, images.shape[1])
            _warn_of([self], images.shape[1:])
            return perturb(self, network, images, labels, **more)

    behind.is_guarded = True  # type: ignore[attr-defined]
    return cast(Door, behind)


def _warn_of(threats: Any, shape: torch.Size) -> None:
    warn_of_wide_radii({str(place): threat for place, threat in enumerate(threats)}, shape)


def _warn_of_logits(watched: "_Watched") -> None:
    images = f"the {watched.first} image(s) of its first pass"
    warn_of_infinite_logits(watched.infinite, images)


def is_guarded(perturb: object) -> bool:
    """Say whether a `perturb` stands behind the door already."""
    return bool(getattr(perturb, "is_guarded", False))


def guarded_search(search: Door) -> Door:
    """Return a search of several threats behind the door."""

    @public
    @wraps(search)
    def behind(model: Any, threats: Any, x: Any, y: Any, **more: Any) -> Any:
        require_searched(threats)
        require_generator(more.get("generator"))
        require_pass_size(more.get("pass_size"))
        with door(model, x, y) as (network, images, labels):
            for threat in threats:
                require_channels(threat, images.shape[1])
            _warn_of(threats, images.shape[1:])
            return search(network, threats, images, labels, **more)

    return cast(Door, behind)


@public
def guarded_network(function: Door) -> Door:
    """Return a function of a network, its first argument, for any model: see `bare`.

    Example:
        >>> @guarded_network
        ... def parameters_of(network):
        ...     return sum(parameter.numel() for parameter in network.parameters())
        >>> parameters_of(nn.Linear(2, 2))
        6
    """

    @public
    @wraps(function)
    def behind(model: Any, *others: Any, **more: Any) -> Any:
        return function(bare(model), *others, **more)

    return cast(Door, behind)


@public
def bare(model: Any) -> nn.Module:
    """Return the network to search; raise ModelError for an invalid one.

    For a network in DistributedDataParallel, the network itself: the wrapper waits for gradients
    that a search never makes.

    Example:
        >>> bare(nn.Linear(2, 2))
        Linear(in_features=2, out_features=2, bias=True)
    """
    if isinstance(model, type):
        raise ModelError(
            f"the model is the class {model.__name__}, not a network.",
            hint=f"Create one: {model.__name__}(...).",
        )
    if isinstance(model, Tensor):
        raise ModelError(
            "the model is a tensor, not a torch.nn.Module.",
            hint="The model comes first, then images and labels: (model, x, y).",
        )
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"the model is of type {type(model).__name__}, not a torch.nn.Module: it cannot be "
            f"put into eval mode, and its parameters cannot be frozen.",
            hint="Wrap it in a module, with the networks that it calls as attributes.",
        )
    if "_parameters" not in vars(model) and not isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            f"the model, {type(model).__name__}, was not initialised as a module.",
            hint="Call super().__init__() first in its __init__.",
        )
    if isinstance(model, DistributedDataParallel):
        model = model.module
    network = cast(nn.Module, model)
    for name, value in (*network.named_parameters(), *network.named_buffers()):
        if is_lazy(value):
            raise ModelError(
                f"the network was never called, so {name} has neither shape nor values yet.",
                hint="Call it once on a batch of images before training or a search.",
            )
        if value.is_meta:
            raise ModelError(
                f"the network's {name} is on the device meta, without values.",
                hint="Load its weights: model.to_empty(device=...), then load_state_dict.",
            )
        if value.is_inference():
            raise ModelError(
                "the model was made under torch.inference_mode, so it has no gradient to its "
                "input.",
                hint="Build or load it outside of inference_mode.",
            )
    return network


def leads_to(logits: Tensor, images: Tensor) -> bool:
    """Say whether the graph behind the logits goes back to the images; nothing is computed.

    A graph may lead elsewhere: to parameters alone, or to a parameter made of the logits.
    """
    ends = {id(images.grad_fn)} if images.grad_fn is not None else set[int]()
    waiting, seen = [logits.grad_fn], set[Any]()
    while waiting:
        node = waiting.pop()
        if (
            node is None or node in seen or "NotImplemented" in node.name()
        ):  # as of quantised layers
            continue
        if id(node) in ends or getattr(node, "variable", None) is images:
            return True
        seen.add(node)
        waiting += [following for following, _ in node.next_functions]
    return logits is images


class _Watched(nn.Module):
    """A network that is run under its caller's autocast, and whose answers are looked at."""

    def __init__(
        self, network: nn.Module, as_before: Context, largest: int, shape: torch.Size
    ) -> None:
        super().__init__()
        self.network = network
        self.training = network.training
        self._as_before, self._largest, self._shape = as_before, largest, shape
        self._known = False
        self.infinite = self.first = 0  # of the first forward: images without finite logits, all
        self._reached = False
        self._ran: set[tuple[int, bool]] = set()  # batches: images, and whether a gradient is due

    def forward(self, images: Images) -> Logits:
        """Return the logits, float32 or float64."""
        version = None if images.is_inference() else images._version
        before = None if self._known else images.detach().clone()
        wanted = images.requires_grad and torch.is_grad_enabled()  # the forward may turn it off
        try:
            with self._as_before(), torch.set_grad_enabled(torch.is_grad_enabled()):
                found = self.network(images)
                rounded = torch.is_autocast_enabled(images.device.type)
        except MoatError:
            raise
        except UNFIT as error:
            if is_out_of_memory(error) or (len(images), wanted) in self._ran:
                raise  # it took the same before: what fails now is its own
            raise cannot_be_run(error, images, next(iter(self._ran), (None,))[0]) from error
        if version is not None and images._version != version:
            raise changes_images()
        logits = require_logits(found, images, rounded=rounded)
        if wanted and not (self._reached or leads_to(logits, images)):
            raise no_gradient()
        if wanted and not logits.requires_grad:
            raise no_gradient()
        self._reached = self._reached or wanted
        self._ran.add((len(images), wanted))
        if before is not None:
            if not torch.equal(before, images.detach()):  # by .data, which no version counts
                raise changes_images()
            require_classes(logits.shape[1], self._largest)
            require_no_probabilities(logits.detach())
            self._known, self.first = True, len(images)
            self.infinite = int((~logits.detach().isfinite().all(1)).sum())
            warn_of_channels_last(self.network, self._shape)  # of its caller, not of a pass
        return logits if logits.dtype == torch.float64 else logits.float()
