"""The fit of weights to a network, with the keys that do not fit."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from moat.errors import ModelError
from moat.models.saved_state import saved_state
from moat.public import public

KEYS_SHOWN = 3  # keys of each kind; the rest is counted


@public
def load_into(network: nn.Module, state: Mapping[str, Any]) -> None:
    """Load weights by name; raise ModelError with the differing keys.

    Counts of batches may be missing, as in weights from before torch 0.4.1. Sparse tensors become
    dense if the network's are.

    Example:
        >>> network = nn.Linear(2, 2)
        >>> load_into(network, {"weight": torch.eye(2), "bias": torch.zeros(2)})
        >>> network(torch.tensor([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """
    expected = saved_state(network)
    counts = {name: value for name, value in expected.items() if name.endswith(_COUNT)}
    found = OrderedDict({**counts, **state})
    if unlike := key_differences(expected, found):
        raise ModelError(unlike)
    found = OrderedDict((name, _laid_out(value, expected[name])) for name, value in found.items())
    # Some layers of torchvision's read a version number there, which plain files do not hold.
    found._metadata = getattr(  # type: ignore[attr-defined]
        state, "_metadata", getattr(expected, "_metadata", None)
    )
    try:
        network.load_state_dict(found)
    except Exception as error:  # whatever a load_state_dict or set_extra_state of its own raises
        why = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"the network refuses its own state dict ({type(error).__name__}: {why})",
            hint="Remove its own load_state_dict, or make it accept the result of state_dict.",
        ) from error


def _laid_out(value: Any, like: Any) -> Any:
    if isinstance(value, Tensor) and isinstance(like, Tensor) and value.layout != like.layout:
        return value.to_dense() if like.layout == torch.strided else value
    return value


def key_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return which keys are missing, foreign, of another shape or kind; nothing where all fit.

    Kinds of numbers are whole, real and complex, whatever their precision. What a module keeps as
    its extra state has whatever shape it likes.

    Example:
        >>> key_differences({"a": torch.zeros(2), "b": torch.zeros(1)}, {"a": torch.zeros(3)})
        '1 key missing: b; 1 of another shape: a (3,) and not (2,)'
    """
    missing = [name for name in expected if name not in found]
    foreign = [name for name in found if name not in expected]
    pairs = {
        name: (found[name], value)
        for name, value in expected.items()
        if name in found and not name.endswith(_EXTRA)
    }
    unlike = {name: pair for name, pair in pairs.items() if _kind(pair[0]) != _kind(pair[1])}
    reshaped = [
        f"{name} {tuple(held.shape)} and not {tuple(value.shape)}"
        for name, (held, value) in pairs.items()
        if name not in unlike and isinstance(held, Tensor) and value.shape != held.shape
    ]
    retyped = [
        f"{name} {_type(held)} and not {_type(value)}"
        for name, (held, value) in unlike.items()
        if not name.endswith(_COUNT)
    ]
    key = "key" if len(missing) == 1 else "keys"
    parts = (
        (missing, f"{len(missing)} {key} missing: "),
        (foreign, f"{len(foreign)} foreign: "),
        (reshaped, f"{len(reshaped)} of another shape: "),
        (retyped, f"{len(retyped)} of another kind: "),
    )
    return "; ".join(head + _first(names) for names, head in parts if names)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - KEYS_SHOWN} more" if len(names) > KEYS_SHOWN else ""
    return ", ".join(names[:KEYS_SHOWN]) + more


def _kind(value: Any) -> str:
    """Return what kind of numbers a value holds, its type's name where it holds none."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    if value.is_nested or value.is_meta or value.is_quantized:
        return "nested" if value.is_nested else "meta" if value.is_meta else "quantised"
    return "complex" if value.is_complex() else "real" if value.is_floating_point() else "whole"


def _type(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    kind = _kind(value)
    special = f" ({kind})" if kind in ("nested", "meta", "quantised") else ""
    return str(value.dtype).removeprefix("torch.") + special


_COUNT = "num_batches_tracked"
_EXTRA = "_extra_state"
