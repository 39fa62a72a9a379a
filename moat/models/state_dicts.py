"""Whether weights fit a network, and where they do not, in which keys."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from moat.errors import ModelError

KEYS_SHOWN = 3  # keys of each kind; the rest is counted


def load_into(network: nn.Module, state: Mapping[str, Any]) -> None:
    """Load weights by their names; raise ModelError that says in which keys they differ.

    Counts of batches, which weights from before torch 0.4.1 lack, may be missing.
    """
    expected = network.state_dict()
    counts = {name: value for name, value in expected.items() if name.endswith(_COUNT)}
    found = OrderedDict({**counts, **state})
    if unlike := key_differences(expected, found):
        raise ModelError(unlike)
    # Some layers of torchvision's read a version number there, which plain files do not hold.
    found._metadata = getattr(state, "_metadata", expected._metadata)  # type: ignore[attr-defined]
    network.load_state_dict(found)


def key_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return which keys are missing, foreign or of another shape; nothing where all fit.

    What a module keeps as its extra state has whatever shape it likes.

    Example:
        >>> key_differences({"a": torch.zeros(2), "b": torch.zeros(1)}, {"a": torch.zeros(3)})
        '1 key missing: b; 1 of another shape: a (3,) and not (2,)'
    """
    missing = [name for name in expected if name not in found]
    foreign = [name for name in found if name not in expected]
    reshaped = [
        f"{name} {tuple(found[name].shape)} and not {tuple(value.shape)}"
        for name, value in expected.items()
        if name in found and not name.endswith(_EXTRA) and value.shape != found[name].shape
    ]
    key = "key" if len(missing) == 1 else "keys"
    parts = (
        (missing, f"{len(missing)} {key} missing: "),
        (foreign, f"{len(foreign)} foreign: "),
        (reshaped, f"{len(reshaped)} of another shape: "),
    )
    return "; ".join(head + _first(names) for names, head in parts if names)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - KEYS_SHOWN} more" if len(names) > KEYS_SHOWN else ""
    return ", ".join(names[:KEYS_SHOWN]) + more


_COUNT = "num_batches_tracked"
_EXTRA = "_extra_state"
