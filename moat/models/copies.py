"""A copy of a network for trials, so that the network itself stays unchanged."""

import copy

import torch
from torch import nn


def copy_of(network: nn.Module) -> nn.Module | None:
    """Return a deep copy with the flags of the network, None of one that cannot be copied.

    torch.jit copies parameters within the graph, as results of a clone; here they are leaves.
    """
    try:
        with torch.no_grad():
            copied = copy.deepcopy(network)
        if copied is network:
            return None
        pairs = zip(network.parameters(), copied.parameters(), strict=True)
        for own, theirs in pairs:
            theirs.requires_grad_(own.requires_grad)
    except Exception:  # whatever an object of the user's raises that has no copy
        return None
    return copied
