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
        if set(kept["param_groups"][0]) != set(own[0]):
            raise ValueError("it belongs to another kind of optimizer")
        state = copy.deepcopy(kept["state"])  # torch takes the tensors themselves
        optimizer.load_state_dict({"state": state, "param_groups": own})
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise TrainingError(
            f"the optimizer's state of the start does not fit: {error}.",
            where=str(where),
            hint='Set optimizer = "fresh" for the start, or the same [optimizer] as its run.',
        ) from error
