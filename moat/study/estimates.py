"""What a study will cost, from a few timed passes; nothing is trained."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from torch import nn

from moat.data import Data, DataSet, shuffled_batches
from moat.evaluation.evaluator import BATCH
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.recipe import RunPlan
from moat.study.failures import asked_for
from moat.study.one_run import initial_model
from moat.threats import GradientThreat, attacked
from moat.training import InPrecision, fabric_for
from moat.types import NATURAL, Images, Labels

REPETITIONS = 5


PROBED = 100
"""Test examples that the sanity gate searches further."""
_PROBES = 40  # passes of its searches, a threat: draws, wider bounds, another model's images


@dataclass(frozen=True)
class Work:
    """What each part of a run takes, in passes times examples; a forward alone is a third of one.

    `training` is what its own clock counts; `validation` is that of all epochs, and `evaluation`
    includes the held-out examples.
    """

    training: float
    validation: float
    evaluation: float
    gate: float
    parts: int  # files in which the evaluation keeps what it has found


@dataclass(frozen=True)
class RunEstimate:
    """One run's passes (forwards and backwards) an example, and its estimated seconds."""

    plan: RunPlan
    search: int
    descent: int
    evaluation: int
    train_examples: int
    test_examples: int
    seconds: float


@dataclass(frozen=True)
class PassTimes:
    """Seconds an example for one forward and backward, to the input and to the parameters."""

    to_input: float
    to_parameters: float


def estimate_all(
    plans: Sequence[RunPlan], device: str = "auto", cache: Path | None = None
) -> list[RunEstimate]:
    """Estimate every run of a study; what runs share is read and timed once.

    `cache` is a folder in which decoded images may be kept.
    """
    loaded: dict[DataSet, Data] = {}
    timed: dict[str, PassTimes] = {}
    estimates = []
    for plan in plans:
        if plan.dataset not in loaded:
            with asked_for(plan, "data"):
                loaded[plan.dataset] = plan.dataset.load(cache)
        data = loaded[plan.dataset]
        shared = json.dumps([plan.trains[part] for part in ("data", "model", "training")])
        if shared not in timed:
            timed[shared] = time_passes(plan, data, device)
        estimates.append(estimate(plan, data, timed[shared]))
    return estimates


def time_passes(plan: RunPlan, data: Data, device: str = "auto") -> PassTimes:
    """Time a few passes of a run's network on one batch of its data, in its precision."""
    fabric = fabric_for(device, plan.training.precision)
    network = InPrecision(initial_model(plan, data).to(fabric.device), fabric)
    generator = torch.Generator().manual_seed(0)
    augment = plan.augmentation.on(data.shape[1:], generator)
    batches = shuffled_batches(data.train, plan.training.batch_size, generator, augment)
    size = plan.training.pass_size or default_pass_size(fabric.device)
    x, y = (part[:size].to(fabric.device) for part in next(batches))
    return PassTimes(
        to_input=_timed(lambda: _to_input(network, x, y)) / len(x),
        to_parameters=_timed(lambda: _to_parameters(network, x, y)) / len(x),
    )


def estimate(plan: RunPlan, data: Data, times: PassTimes) -> RunEstimate:
    """Count the passes of a run and say what they take."""
    search, descent = passes_per_example(plan)
    evaluation = plan.protocol.passes()
    with asked_for(plan, "data"):
        split, _ = plan.share.of(data.train)
    trained = len(split)
    tested = min(plan.protocol.examples or len(data.test), len(data.test))
    work = work_of(plan, data)
    a_pass = (search * times.to_input + descent * times.to_parameters) / max(search + descent, 1)
    searched = work.validation + work.evaluation + work.gate
    return RunEstimate(
        plan=plan,
        search=search,
        descent=descent,
        evaluation=evaluation,
        train_examples=trained,
        test_examples=tested,
        seconds=work.training * a_pass + searched * times.to_input,
    )


def work_of(plan: RunPlan, data: Data) -> Work:
    """Count the passes of all parts of a run on its data."""
    with asked_for(plan, "data"):
        split, held = plan.share.of(data.train)
    held_out, protocol, epochs = len(held) if held else 0, plan.protocol, plan.training.epochs
    judged = [min(protocol.examples or count, count) for count in (len(data.test), held_out)]
    climbs = [threat for threat in plan.threats.values() if isinstance(threat, GradientThreat)]
    probed = sum(isinstance(threat, GradientThreat) for threat in protocol.threats.values())
    return Work(
        training=float(epochs * len(split) * sum(passes_per_example(plan))),
        validation=epochs * held_out * (1 / 3 + sum(threat.steps + 1 / 3 for threat in climbs)),
        evaluation=sum(judged) * (1 / 3 + sum(map(protocol.cost, protocol.threats))),
        gate=float(min(PROBED, len(data.test)) * _PROBES * probed),
        parts=sum(-(-count // BATCH) for count in judged) * (1 + len(protocol.threats)),
    )


def passes_per_example(plan: RunPlan) -> tuple[int, int]:
    """Return (search, descent): forwards and backwards that a training step costs an example.

    Of a scalarizer that plans an example at a time, the most it can plan.
    """
    names = (NATURAL, *plan.threats)
    mask = plan.scalarizer.plan(names, 2, torch.Generator().manual_seed(0))
    planned = [bool(entry.any()) for entry in mask]
    searched = zip(plan.threats.values(), planned[1:], strict=True)
    search = sum(t.steps for t, p in searched if p and isinstance(t, GradientThreat))
    return search, sum(planned)


def _to_input(network: nn.Module, x: Images, y: Labels) -> None:
    with attacked(network):
        x = x.detach().requires_grad_()
        torch.autograd.grad(cross_entropy(network(x), y).sum(), x)


def _to_parameters(network: nn.Module, x: Images, y: Labels) -> None:
    network.train()
    cross_entropy(network(x), y).mean().backward()
    network.zero_grad()


def _timed(run: Callable[[], None]) -> float:
    """Return the median seconds of a few calls, the first left out."""
    run()
    times = []
    for _ in range(REPETITIONS):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        started = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return median(times)
