"""A copy of a network for trials, so that the network itself stays unchanged."""

import copy

import torch
from torch import Tensor, nn


def copy_of(network: nn.Module) -> nn.Module | None:
    """Return a deep copy with the flags of the network, None of one that cannot be copied.

    torch.jit copies parameters within the graph, as results of a clone; here they are leaves. A
    weight that a hook computes, as `nn.utils.weight_norm` does, is copied by its value.
    """
    try:
        with torch.no_grad():
            copied = copy.deepcopy(network, _computed(network))
        if copied is network:
            return None
        pairs = zip(network.parameters(), copied.parameters(), strict=True)
        for own, theirs in pairs:
            theirs.requires_grad_(own.requires_grad)
    except Exception:  # whatever an object of the user's raises that has no copy
        return None
    return copied


def _computed(network: nn.Module) -> dict[int, Tensor]:
    """Return the values of the tensors within a graph that modules hold, by their identity."""
    held = [value for module in network.modules() for value in vars(module).values()]
    within = [value for value in held if isinstance(value, Tensor) and not value.is_leaf]
    return {id(value): value.detach().clone() for value in within}
