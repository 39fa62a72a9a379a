"""The optimizer's state of the training before, kept for this one."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from moat.errors import TrainingError


def take_state(optimizer: torch.optim.Optimizer, kept: Mapping[str, Any], where: Path) -> None:
    """Load the state of each parameter; learning rate and decay stay this training's own.

    Raises TrainingError for the state of another kind of optimizer, or of other parameters.
    """
    own = optimizer.state_dict()["param_groups"]
    try:
        if _settings(kept["param_groups"][0]) != _settings(own[0]):
            raise ValueError("it belongs to another kind of optimizer")
        _require_same_parameters(optimizer, kept)
        state = copy.deepcopy(kept["state"])  # torch takes the tensors themselves
        optimizer.load_state_dict({"state": state, "param_groups": own})
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise TrainingError(
            f"the optimizer's state of the start does not fit: {error}.",
            where=str(where),
            hint='Set optimizer = "fresh" for the start, or the same [optimizer] as its run.',
        ) from error


def _settings(group: Mapping[str, Any]) -> set[str]:
    """Return the names of an optimizer's settings, without the one that a schedule adds."""
    return set(group) - {"initial_lr"}


def _require_same_parameters(optimizer: torch.optim.Optimizer, kept: Mapping[str, Any]) -> None:
    """Raise ValueError for the state of other parameters, as of a conditioned network's encoder.

    torch numbers the parameters, and takes whatever has the number.
    """
    own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    found = sum(len(group["params"]) for group in kept["param_groups"])
    if found != len(own):
        raise ValueError(f"it belongs to {found} parameters, and this network has {len(own)}")
    for number, state in kept["state"].items():
        shapes = {tuple(v.shape) for v in state.values() if isinstance(v, torch.Tensor) and v.ndim}
        if unlike := shapes - {tuple(own[number].shape)}:
            raise ValueError(
                f"it has the shape {unlike.pop()} for a parameter of {tuple(own[number].shape)}"
            )
