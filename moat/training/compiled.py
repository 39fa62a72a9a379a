"""What `training.compile` asks for, as far as device and network allow it."""

from typing import Literal, cast

import torch
from torch import nn

from moat.threats import JointSearch, joint_search
from moat.training.graphs import CapturedSearch


class Compiled:
    """The network and the search that a run trains with, and what came of `compile`.

    On the CPU every mode is "none": there are no launches to save, and torch's compiler took 45
    seconds for 0.86 to 1.14 of the time (measured).
    """

    def __init__(
        self, model: nn.Module, mode: Literal["none", "graph", "default"], device: torch.device
    ) -> None:
        self.mode = mode if device.type == "cuda" else "none"
        self.network = model
        if self.mode == "default":
            self.network = cast(nn.Module, torch.compile(model))
        self._captured = None if self.mode == "none" else CapturedSearch()

    @property
    def search(self) -> JointSearch:
        """The search of every step."""
        return self._captured or joint_search

    def outcome(self) -> str:
        """Return the mode that came about, and the reason where it is less than was asked for."""
        if self._captured is None:
            return "none"
        if self._captured.refusal:
            return f"the search could not be captured: {self._captured.refusal}"
        return self.mode if self._captured.captures else f"{self.mode}, no search captured"
