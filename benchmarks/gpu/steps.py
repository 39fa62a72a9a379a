"""Single steps: images a second, beside the passes that a step is made of."""

import argparse
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from benchmarks.step import to_input
from benchmarks.timing import ratio
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.precision import tensor_float_32
from moat.storage import replace, to_json
from moat.study import plan
from moat.study.estimates import passes_per_example
from moat.study.layout import laid_out
from moat.training import InPrecision, fabric_for, train_step

RECIPES = Path(__file__).parents[2] / "recipes"
STUDIES = {
    "mnist": (RECIPES / "mnist_pareto.toml", (1, 28, 28)),
    "cifar10": (RECIPES / "cifar10_pareto.toml", (3, 32, 32)),
}
PRECISIONS = ("32-true", "tf32", "bf16-mixed")
CLASSES = 10


def time_steps(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Measure what the file does not hold yet, and write it after each."""
    measured = found.setdefault("steps", {})
    for study in asked.studies:
        for precision in asked.precisions:
            for compiled in (False, True) if asked.compiled else (False,):
                name = f"{study}, {precision}, {'compiled' if compiled else 'as it is'}"
                if name in measured:
                    continue
                try:
                    measured[name] = _step(asked, study, precision, compiled)
                except Exception as error:  # one way that fails must not hide the others
                    measured[name] = {"failed": f"{type(error).__name__}: {error}"}
                replace(asked.out, to_json(found))


def _step(
    asked: argparse.Namespace, study: str, precision: str, compiled: bool
) -> dict[str, float]:
    """Time a two-moment step of a study beside the passes it is made of, in turn."""
    recipe, shape = STUDIES[study]
    overrides = [f"training.precision={precision}", *asked.set]
    run = next(p for p in plan(recipe, overrides=overrides) if p.scalarizer.name == "two-moment")
    fabric = fabric_for(asked.device, run.training.precision)
    torch.manual_seed(0)
    model = laid_out(run.model.build(shape, CLASSES)).to(fabric.device)
    network = InPrecision(torch.compile(model) if compiled else model, fabric)
    batch = run.training.batch_size
    x = torch.rand(batch, *shape, device=fabric.device)
    y = torch.randint(CLASSES, (batch,), device=fabric.device)
    optimizer = run.optimizer.build(model.parameters())
    one = partial(
        train_step,
        network,
        optimizer,
        run.threats,
        run.scalarizer,
        x,
        y,
        pass_size=default_pass_size(fabric.device),
        generator=torch.Generator().manual_seed(0),
    )
    parts = {
        "floor": partial(to_input, network, x, y),
        "training": partial(_to_weights, network, x, y),
        "step": one,
    }
    with tensor_float_32(precision == "tf32"):
        seconds = _in_turn(parts, asked.rounds)
    search, descent = passes_per_example(run)
    passes = [
        search * a + descent * b for a, b in zip(seconds["floor"], seconds["training"], strict=True)
    ]
    return {
        "images a second": round(batch / median(seconds["step"]), 1),
        "step / its passes": round(ratio(seconds["step"], passes), 3),
        "step / floor": round(ratio(seconds["step"], seconds["floor"]), 1),
        "passes of a step": search + descent,
        "batch": batch,
    }


def _to_weights(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    network.train()
    cross_entropy(network(x), y).mean().backward()
    network.zero_grad()


def _in_turn(runs: dict[str, partial[Any]], rounds: int) -> dict[str, list[float]]:
    """Return each run's seconds, one a round, the device waited for; two rounds warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 2):
        for name, run in runs.items():
            _wait()
            started = time.perf_counter()
            run()
            _wait()
            if number > 1:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
