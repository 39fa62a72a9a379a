"""The state of a network that its state dict omits."""

import functools
import types
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from moat.models.network_digest import PLAIN
from moat.models.saved_state import saved_state
from moat.models.weights import digest_of_state

LEVELS = 6
"""Containers and objects within one another that are looked into."""
_TORCHS_OWN = {*vars(nn.Module()), *vars(nn.Parameter), "_forward_hooks", "_forward_pre_hooks"}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_CONTAINERS = (Mapping, list, tuple, set, frozenset, deque)
_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)


class Unsaved(NamedTuple):
    """A value that a state dict lacks, and how it is kept instead.

    Kinds: "buffer" (not persistent), "tensor" (an attribute, or within one), "module" (within a
    module that is not registered), "parameter" (registered, and left out of the state dict all the
    same), "array" (NumPy's), "value" (a number, a text, or the name of a function), "outside" (of
    the network: in its class, in a closure of its methods, or a global that these name).
    """

    kind: str
    value: Any


def unsaved_state(network: nn.Module) -> dict[str, Unsaved]:
    """Return what lies on a network beside its state dict, by the path that leads there.

    Non-persistent buffers, tensors and arrays in attributes, what unregistered modules hold, the
    values that nested attributes, hooks and closures keep. Plain attributes of the modules are
    settings: see `digest_of_network`. What a method does is not seen.

    Example:
        >>> net = nn.Linear(1, 1)
        >>> net.scale, net.more = torch.ones(1), [nn.Linear(1, 1)]
        >>> [(path, one.kind) for path, one in unsaved_state(net).items() if one.kind != "value"]
        [('scale', 'tensor'), ('more[0].weight', 'module'), ('more[0].bias', 'module')]
    """
    return dict(_Walk(network).found())


def plain_settings(network: nn.Module) -> dict[str, Unsaved]:
    """Return the plain attributes of a network's modules, by the path that leads to each."""
    return {
        f"{prefix}.{key}" if prefix else key: Unsaved("value", value)
        for prefix, module in network.named_modules()
        for key, value in vars(module).items()
        if key not in _TORCHS_OWN and _is_setting(key, value)
    }


def numbers(network: nn.Module) -> dict[str, float]:
    """Return the plain attributes that are numbers, by the path that leads to each."""
    settings = plain_settings(network).items()
    return {path: one.value for path, one in settings if type(one.value) in (int, float)}


class _Walk:
    """One look at a network, in which every object is met once."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.saved = set(saved_state(network))
        values = [*network.parameters(), *network.buffers()]
        self.registered = {id(value) for value in values}
        self.storages = {_storage(value) for value in values} - {None}
        self.seen = {id(module) for module in network.modules()}

    def found(self) -> Iterator[tuple[str, Unsaved]]:
        for prefix, module in self.network.named_modules(remove_duplicate=True):
            start = f"{prefix}." if prefix else ""
            yield from self._registered(module, start)
            for key, value in vars(module).items():
                if key not in _TORCHS_OWN and not _is_setting(key, value):
                    noted = not _is_note_of_torch(module, key)
                    for path, one in self._within(start + key, value, "tensor", LEVELS):
                        if noted or one.kind != "value":
                            yield path, one
            for key, value in _of_class(type(module)):
                yield from self._within(start + key, value, "outside", LEVELS)
            for key in _HOOKS:
                for number, hook in enumerate(vars(module).get(key, {}).values()):
                    yield from self._within(f"{start}{key}[{number}]", hook, "tensor", LEVELS)

    def _registered(self, module: nn.Module, start: str) -> Iterator[tuple[str, Unsaved]]:
        """Yield buffers and parameters of a module's own that the state dict lacks."""
        passing = module._non_persistent_buffers_set
        for name, value in module.named_buffers(recurse=False):
            if start + name not in self.saved:
                kind = "buffer" if name in passing else "parameter"
                yield start + name, Unsaved(kind, value)
        for name, value in module.named_parameters(recurse=False):
            if start + name not in self.saved:
                yield start + name, Unsaved("parameter", value)

    def _within(
        self, path: str, value: Any, kind: str, depth: int
    ) -> Iterator[tuple[str, Unsaved]]:
        """Yield what an attribute is or holds."""
        if isinstance(value, Tensor):
            if not self._is_registered(value):
                yield path, Unsaved(kind, value)
        elif isinstance(value, PLAIN):
            yield path, Unsaved("value", value)
        elif isinstance(value, np.ndarray | np.generic):
            yield path, Unsaved("array", np.asarray(value))
        elif depth and id(value) not in self.seen:
            self.seen.add(id(value))
            for key, one in _parts(value):
                inner = "module" if isinstance(value, nn.Module) else kind
                yield from self._within(path + key, one, inner, depth - 1)

    def _is_registered(self, value: Tensor) -> bool:
        """Say whether a tensor is one of the network's, or a view of one, which follows it."""
        return id(value) in self.registered or (_storage(value) or 0) in self.storages


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a container, module, function or object of the user's is made of."""
    if isinstance(value, nn.Module):
        yield ".__class__", type(value).__qualname__
        for name in ("_parameters", "_buffers", "_modules"):
            yield from ((f".{key}", one) for key, one in vars(value).get(name, {}).items())
        own = vars(value).items()
        yield from ((f".{key}", one) for key, one in own if key not in _TORCHS_OWN)
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", one) for key, one in value.items())
    elif isinstance(value, _CONTAINERS):
        yield from ((f"[{number}]", one) for number, one in enumerate(value))
    elif isinstance(value, functools.partial):
        yield from ((f".{name}", getattr(value, name)) for name in ("func", "args", "keywords"))
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
        yield ".__func__", value.__func__
    elif isinstance(value, types.FunctionType) and not _is_torchs(value.__module__):
        yield ".__name__", f"{value.__module__}.{value.__qualname__}"
        yield ".__defaults__", value.__defaults__
        yield ".__kwdefaults__", value.__kwdefaults__
        names = value.__code__.co_freevars
        for name, cell in zip(names, value.__closure__ or (), strict=True):
            try:
                yield f".{name}", cell.cell_contents
            except ValueError:  # not assigned yet
                continue
    elif callable(value) and isinstance(getattr(value, "__qualname__", None), str):
        yield ".__name__", f"{value.__module__}.{value.__qualname__}"
    elif hasattr(value, "__dict__") and not _is_torchs(type(value).__module__):
        yield from ((f".{key}", one) for key, one in vars(value).items())


def _of_class(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a user's class, what its methods close over, and globals they name."""
    for base in cls.__mro__[:-1]:
        if _is_torchs(base.__module__):
            continue
        for key, value in vars(base).items():
            if isinstance(value, Tensor | np.ndarray | nn.Module):
                yield f"{base.__name__}.{key}", value
            elif isinstance(value, types.FunctionType):
                if value.__closure__:
                    yield f"{base.__name__}.{key}", value
                for name in value.__code__.co_names:
                    if isinstance(held := value.__globals__.get(name), Tensor | np.ndarray):
                        yield f"{value.__module__}.{name}", held


def _is_torchs(module: object) -> bool:
    return str(module).partition(".")[0] in ("torch", "builtins", "threading", "logging", "weakref")


def _is_setting(key: str, value: Any) -> bool:
    """Say whether `digest_of_network` knows of an attribute already."""
    if key.startswith("_"):
        return False
    if isinstance(value, tuple | list):
        return all(isinstance(one, PLAIN) for one in value)
    return isinstance(value, PLAIN)


def _is_note_of_torch(module: nn.Module, key: str) -> bool:
    """Say whether an attribute is what torch notes on a module, for itself."""
    noted = key.startswith(("_torchdynamo", "_is_torch", "_is_full", "_compiled"))
    return noted or (key.startswith("_") and _is_torchs(type(module).__module__))


def _storage(value: Tensor) -> int | None:
    """Return where the numbers of a tensor lie, None where nobody can say."""
    try:
        return value.untyped_storage().data_ptr() or None
    except (RuntimeError, NotImplementedError):  # sparse, meta, and the like
        return None


def digest_of_weights(network: nn.Module) -> str:
    """Return 16 hex digits that identify all numbers of a network, in its state dict or not.

    Where nothing lies beside the state dict, they are the state dict's own.
    """
    unsaved = unsaved_state(network).items()
    beside = {f"beside {path}": _plain(one.value) for path, one in unsaved}
    return digest_of_state({**saved_state(network), **beside})


def differs(one: Any, other: Any) -> bool:
    """Say whether two values are unlike: tensors and arrays by type, shape and every number."""
    return digest_of_state({"value": _plain(one)}) != digest_of_state({"value": _plain(other)})


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, value.tobytes() if value.dtype != object else ""]
    return value
