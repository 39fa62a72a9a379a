"""A check that a network's saved state is complete: loaded anew, it gives the same answers."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from moat.errors import ModelError
from moat.evaluation.model_checks import REPEATED, difference
from moat.models import load_into
from moat.models.saved_state import saved_state
from moat.models.unsaved_state import Unsaved, differs, numbers, plain_settings, unsaved_state
from moat.runs.weights import from_bytes, to_bytes
from moat.threats import attacked
from moat.training.guard import trial
from moat.types import Images

MANY = 1000  # forwards in train mode
MOVED = 1.01  # times itself, each parameter
CAUSES_SHOWN = 3  # causes of each kind; the rest is counted


def require_whole_state(
    network: nn.Module,
    build: Callable[[], nn.Module],
    x: Images,
    *,
    rebuild: Callable[[], nn.Module],
    prepare: Callable[[nn.Module], nn.Module],
) -> None:
    """Raise ModelError if a network changes when it is saved and loaded.

    Two more are built as the `network` was, each from its own random state, the second by
    `rebuild`. The saved state of the first, after a forward in train mode and a small step of every
    parameter, is loaded into the second; then both must give the same logits. State that depends on
    the arguments alone, such as a table of rotations, may be outside the state dict. `prepare` may
    return a copy. The network and the global random state stay unchanged.
    """
    with draws_apart():
        first = build()
        _require_two(network, first)
        second = rebuild()
        with trial(prepare(first), x) as tried:
            counts = numbers(tried)
            tried(x)
            _move(tried)
            try:
                load_into(second, as_loaded(tried))
            except ModelError as error:
                raise _does_not_fit(error, first, tried) from error
            require_alike(tried, second, x)
            _require_no_count(tried, counts, x)


def _require_no_count(network: nn.Module, before: dict[str, float], x: Images) -> None:
    """Raise ModelError where a number that training changes, and nobody saves, moves the logits.

    Whatever one forward in train mode added is added a thousand times more.
    """
    grown = {path: one - before[path] for path, one in numbers(network).items() if path in before}
    grown = {path: step for path, step in grown.items() if step}
    if not grown:
        return
    now = answers(network, x)
    for path, step in grown.items():
        place, _, key = path.rpartition(".")
        owner = network.get_submodule(place)
        value = getattr(owner, key)
        setattr(owner, key, value + MANY * step)
        try:
            then = answers(network, x)
        finally:
            setattr(owner, key, value)
        if difference(now, then) > REPEATED:
            raise ModelError(
                f"the network's logits depend on {path}, which training changes and its state "
                f"dict lacks, so a loaded run would be another network.",
                hint=_MENDS["value"],
            )


def as_loaded(network: nn.Module) -> dict[str, object]:
    """Return the state dict of a network as loaded from a run folder."""
    return from_bytes(to_bytes(saved_state(network)))


def require_alike(saved: nn.Module, loaded: nn.Module, x: Images) -> None:
    """Raise ModelError with the cause if two networks with one state dict give different logits."""
    own, theirs = answers(saved, x), answers(loaded, x)
    found = difference(own, theirs)
    if not found:
        return
    causes = _causes(saved, loaded)
    if not causes and found <= REPEATED:  # rounding
        return
    raise ModelError(
        "saving and loading its weights changes the network: its logits differ by "
        f"{found:.1g} of the largest.{_said(causes)}",
        hint=_mend({cause.kind for cause in causes.values()}),
    )


def answers(network: nn.Module, x: Images) -> Tensor:
    """Return a network's logits in eval mode."""
    devices = [x.device] if x.is_cuda else []
    with torch.random.fork_rng(devices), attacked(network), torch.no_grad():
        logits: Tensor = network(x.clone())
    return logits.detach().float()


@contextmanager
def draws_apart() -> Iterator[None]:
    """Restore the random states of torch, NumPy and Python afterwards."""
    pythons, numpys = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(pythons)
        np.random.set_state(numpys)


def _move(network: nn.Module) -> None:
    """Let every trained parameter change as a step changes it, so that a stale copy shows."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.mul_(MOVED)


def _require_two(first: nn.Module, second: nn.Module) -> None:
    """Raise ModelError where what one run trains is a part of the next run's network, too."""
    trained = {id(value) for value in first.parameters() if value.requires_grad}
    shared = [n for n, value in second.named_parameters() if id(value) in trained]
    if first is second or shared:
        raise ModelError(
            "two builds of the network share parameters"
            f"{_listed(shared)}, so a second run would begin with the weights of the first.",
            hint="Create every layer in each call.",
        )


def _does_not_fit(error: ModelError, first: nn.Module, tried: nn.Module) -> ModelError:
    before, after = saved_state(first), saved_state(tried)
    made = [name for name in after if name not in before]
    reshaped = [
        name
        for name, value in after.items()
        if isinstance(value, Tensor)
        and isinstance(before.get(name), Tensor)
        and value.shape != before[name].shape
    ]
    if made or reshaped:
        what = f"makes {', '.join(made[:CAUSES_SHOWN])}" if made else f"reshapes {reshaped[0]}"
        return ModelError(
            f"the network {what} in its first forward in train mode, so its saved state fits no "
            f"new network: {error.message.rstrip('.')}.",
            hint="Create every layer in __init__, and give every buffer its shape there.",
        )
    return ModelError(
        f"the network's saved state cannot be loaded into it: {error.message.rstrip('.')}.",
        hint="Remove its own state_dict and load_state_dict, or make the one accept the other's "
        "result.",
    )


def _causes(saved: nn.Module, loaded: nn.Module) -> dict[str, Unsaved]:
    own, theirs = ({**plain_settings(one), **unsaved_state(one)} for one in (saved, loaded))
    return {
        path: one
        for path, one in {**theirs, **own}.items()
        if path not in own or path not in theirs or differs(own[path].value, theirs[path].value)
    }


def _said(causes: dict[str, Unsaved]) -> str:
    if not causes:
        return " The cause is not in its modules."
    named: dict[str, list[str]] = {}
    for path, one in causes.items():
        named.setdefault(one.kind, []).append(path)
    kinds = [f"{_KINDS[kind]}{_listed(paths)}" for kind, paths in named.items()]
    return f" Its state dict lacks {', and '.join(kinds)}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - CAUSES_SHOWN} more" if len(names) > CAUSES_SHOWN else ""
    return f" {', '.join(names[:CAUSES_SHOWN])}{more}" if names else ""


def _mend(kinds: set[str]) -> str:
    mends = [mend for kind, mend in _MENDS.items() if kind in kinds]
    return "\n".join(dict.fromkeys(mends)) or _ELSEWHERE


_KINDS = {
    "buffer": "the buffer",
    "tensor": "the tensor",
    "module": "state in an unregistered module:",
    "parameter": "the parameter or buffer",
    "array": "the array",
    "value": "the value",
    "outside": "state outside of the network:",
}
_MENDS = {
    "buffer": "Keep the buffer: register_buffer(name, tensor, persistent=True).",
    "tensor": "Register it: self.register_buffer(name, tensor), or nn.Parameter(tensor) to train "
    "it.",
    "module": "Register it: an attribute of its own, nn.ModuleList or nn.ModuleDict in place of a "
    "list or dict.",
    "parameter": "Remove the network's own state_dict, or make it return every parameter.",
    "array": "Make it a tensor and register it: self.register_buffer(name, tensor).",
    "outside": "Keep it in the network: self.register_buffer(name, tensor).",
    "value": "Compute it from the arguments of the model alone, or keep it in a buffer: "
    "self.register_buffer(name, torch.tensor(value)).",
}
_ELSEWHERE = (
    "Look for random numbers of the construction in a closure, a class or a global: register them "
    "as buffers. Or for a load_state_dict that omits some."
)
