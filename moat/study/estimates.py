"""What a study will cost, from a few timed passes; nothing is trained."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from moat.data import Data, shuffled_batches
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.recipe import RunPlan
from moat.study.one_run import initial_model
from moat.threats import GradientThreat, attacked
from moat.training import fabric_for
from moat.types import NATURAL, Images, Labels

REPETITIONS = 5


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


def estimate_all(plans: Sequence[RunPlan], device: str = "auto") -> list[RunEstimate]:
    """Estimate every run of a study, each data set read once."""
    loaded = {dataset: dataset.load() for dataset in dict.fromkeys(p.dataset for p in plans)}
    return [estimate(plan, loaded[plan.dataset], device) for plan in plans]


def estimate(plan: RunPlan, data: Data, device: str = "auto") -> RunEstimate:
    """Count the passes of a run and time them on one batch of its data."""
    search, descent = passes_per_example(plan)
    evaluation = plan.protocol.passes()
    fabric = fabric_for(device, plan.training.precision)
    network = initial_model(plan, data).to(fabric.device)
    size = plan.training.batch_size
    batch = shuffled_batches(data.train.to(fabric.device), size, torch.Generator().manual_seed(0))
    x, y = next(batch)
    pass_size = plan.training.pass_size or default_pass_size(fabric.device)
    x, y = x[:pass_size], y[:pass_size]
    to_input = _timed(lambda: _to_input(network, x, y)) / len(x)
    to_parameters = _timed(lambda: _to_parameters(network, x, y)) / len(x)
    held_out = round(plan.validation * len(data.train))
    trained = len(data.train) - held_out
    tested = min(plan.protocol.examples or len(data.test), len(data.test))
    own = sum(t.steps for t in plan.threats.values() if isinstance(t, GradientThreat))
    an_epoch = trained * (search * to_input + descent * to_parameters) + held_out * own * to_input
    return RunEstimate(
        plan=plan,
        search=search,
        descent=descent,
        evaluation=evaluation,
        train_examples=trained,
        test_examples=tested,
        seconds=plan.training.epochs * an_epoch + tested * evaluation * to_input,
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
