"""The mode of `training.compile` that device and network support."""

from typing import Literal

import torch
from torch import nn

from moat.threats import JointSearch, joint_search
from moat.training.compiling import CompiledNetwork
from moat.training.graphs import CapturedSearch

Mode = Literal["none", "graph", "default"]
ON_A_CPU = "a CPU neither captures nor compiles"


class Compiled:
    """The network and the search of a run, and the result of `compile`.

    On the CPU every mode is "none": there are no launches to save, and torch's compiler took 45
    seconds for 0.86 to 1.14 of the time (measured). `asked`: the recipe names the mode, so a lesser
    result is reported on a CPU, too.
    """

    def __init__(
        self, model: nn.Module, mode: Mode, device: torch.device, *, asked: bool = True
    ) -> None:
        on_cpu = device.type != "cuda"
        self.mode: Mode = "none" if on_cpu else mode
        self.network = model
        self._compiling: CompiledNetwork | None = None
        if self.mode == "default":
            self.network = self._compiling = CompiledNetwork(model)
        self._captured = None if self.mode == "none" else CapturedSearch()
        self._skipped = ON_A_CPU if on_cpu and mode != "none" else ""
        self._told = set() if asked else {self._skipped}

    @property
    def search(self) -> JointSearch:
        """The search of every step."""
        return self._captured or joint_search

    def outcome(self) -> str:
        """Return the mode in use, and the reasons if it is less than the requested one."""
        if self._captured is None:
            return "; ".join(["none", *self._reasons()])
        compiled = self._compiling is not None and not self._compiling.refusal
        came = "default" if compiled else "graph"
        if not self._captured.captures:
            without = f"{came}, no search captured"
            came = ("default" if compiled else "none") if self._captured.refusal else without
        return "; ".join([came, *self._reasons()])

    def news(self) -> list[str]:
        """Return the reasons that have not been returned yet."""
        fresh = [reason for reason in self._reasons() if reason not in self._told]
        self._told.update(fresh)
        return fresh

    def _reasons(self) -> list[str]:
        """Return why less was done than was asked for."""
        compiling, captured = self._compiling, self._captured
        reasons = [
            self._skipped,
            compiling and compiling.refusal and f"the network is not compiled: {compiling.refusal}",
            captured and captured.refusal and f"the search is not captured: {captured.refusal}",
            captured and captured.limit,
        ]
        return [reason for reason in reasons if reason]
