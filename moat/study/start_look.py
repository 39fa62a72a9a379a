"""A look at the starts of runs before any is trained: whether they can begin with them."""

import json
from pathlib import Path

import torch

from moat.data import Data
from moat.errors import MoatError
from moat.models import built
from moat.recipe import RunPlan
from moat.recipe.start import Start
from moat.runs import is_bundle
from moat.study.conditioned import conditioned_network
from moat.study.start import begin
from moat.training.kept_state import take_state


class StartLook:
    """Looks at the starts of a study's runs; equal ones are read once."""

    def __init__(self) -> None:
        self._found: dict[str, MoatError | None] = {}

    def fault(self, plan: RunPlan, data: Data) -> MoatError | None:
        """Return the error with which a run would begin, None without any.

        A start from another run of the study is not looked at, since the study trains that run, nor
        is a recorded one whose weights are gone: a finished run outlives its start.
        """
        start = plan.start
        if start is None or start.training is not None or _is_gone(start):
            return None
        key = json.dumps([str(start.place), *(plan.trains[name] for name in _DECIDING)])
        if plan.conditioned is not None:
            key += f" {plan.conditioned.hidden} {[*plan.threats]}"
        if key not in self._found:
            self._found[key] = _fault(plan, data)
        return self._found[key]


_DECIDING = ("start", "data", "model", "optimizer")


def _is_gone(start: Start) -> bool:
    there = start.place.exists() or is_bundle(start.place)
    return start.digest is not None and not there


def _fault(plan: RunPlan, data: Data) -> MoatError | None:
    assert plan.start is not None
    with torch.random.fork_rng(devices=[]):
        network = built(plan.model, data.shape, len(data.classes))
        try:
            begun = begin(plan, Path("results", plan.path), network)
            if begun.optimizer is not None:
                if plan.conditioned is not None:
                    network = conditioned_network(plan, network)
                optimizer = plan.optimizer.build(network.parameters())
                take_state(optimizer, begun.optimizer, where=plan.start.place)
        except MoatError as error:
            return error
    return None
