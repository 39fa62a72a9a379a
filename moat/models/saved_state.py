"""The state dict of any network, including one with its own method."""

from typing import Any

from torch import nn

from moat.errors import ModelError


def saved_state(network: nn.Module) -> dict[str, Any]:
    """Return a network's state dict; raise ModelError where it gives none."""
    try:
        state = network.state_dict()
        if all(isinstance(name, str) for name in state):
            return state
        why = f"it is a {type(state).__name__} with keys that are not names"
    except Exception as error:  # whatever an override raises
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
    raise ModelError(
        f"the network does not give its state dict ({why}).",
        hint="Remove its own state_dict, or make it return a table of tensors by name.",
    )
