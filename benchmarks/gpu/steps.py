"""Stage (a), single steps: seconds a pass, beside the same passes captured as CUDA graphs."""

import argparse
import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from threading import Lock, Timer
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.output import save
from moat.losses import cross_entropy
from moat.precision import tensor_float_32
from moat.recipe import RunPlan
from moat.scalarizers import LossScalarizer
from moat.study import plan
from moat.study.step_cost import passes_per_example
from moat.threats import GradientThreat, attacked
from moat.training import InPrecision, StepSettings, fabric_for, train_step
from moat.training.compile_modes import Compiled

RECIPES = Path(__file__).parents[2] / "recipes"
STUDIES = {
    "mnist": (RECIPES / "mnist_pareto.toml", (1, 28, 28)),
    "cifar10": (RECIPES / "cifar10_pareto.toml", (3, 32, 32)),
    "caltech": (RECIPES / "caltech_pareto.toml", (3, 224, 224)),
}
PRECISIONS = ("32-true", "tf32", "bf16-mixed")
MODES = ("none", "graph", "default")
LAYOUTS = {"nchw": torch.contiguous_format, "channels last": torch.channels_last}
CLASSES = 10
WARM_UP = 3
GRACE = 10.0  # seconds past the deadline


@dataclass(frozen=True)
class Cell:
    """One way to take a step."""

    study: str
    precision: str
    mode: str
    layout: str

    @property
    def name(self) -> str:
        """The name of the cell in the file."""
        return f"{self.study}, {self.precision}, {self.mode}, {self.layout}"


def cells(asked: argparse.Namespace) -> list[Cell]:
    """Return the ways that were asked for, those that need a compiler last."""
    return [
        Cell(study, precision, mode, layout)
        for mode in MODES
        if mode in asked.modes
        for study in asked.studies
        for precision in asked.precisions
        for layout in asked.layouts
    ]


def time_steps(asked: argparse.Namespace, found: dict[str, Any]) -> int:
    """Measure what the file does not hold yet, and write it after each; return how many failed.

    What failed in an earlier call is tried again, after all others.
    """
    measured = found.setdefault("steps", {})
    deadline = time.monotonic() + 60 * asked.minutes
    names = {_name(asked, cell): cell for cell in cells(asked)}
    fresh = [name for name in names if name not in measured]
    left = fresh + [name for name in names if "failed" in measured.get(name, {})]
    alone = True  # what fills a whole call by itself would fill the next one, too
    while left and time.monotonic() < deadline:
        name = left.pop(0)
        with _ended_in_time(deadline, partial(_stop, asked, found, name, alone, 1 + len(left))):
            try:
                measured[name] = _step(asked, names[name])
            except Exception as error:  # one way that fails must not hide the others
                measured[name] = {"failed": f"{type(error).__name__}: {error}"}
        alone = False
        save(asked, found)
    _say_left(len(left))
    return sum("failed" in measured.get(name, {}) for name in names)


def _name(asked: argparse.Namespace, cell: Cell) -> str:
    """Return what a cell is called in the file; what is not the recipe's is part of it."""
    other = [f"batch={asked.batch}"] if asked.batch else []
    return ", ".join([cell.name, *other, *asked.set])


@contextlib.contextmanager
def _ended_in_time(deadline: float, stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` from another thread where the cell has not ended soon after the deadline."""
    lock, over = Lock(), []

    def end() -> None:
        with lock:
            if not over:
                stop()

    timer = Timer(max(0.0, deadline - time.monotonic()) + GRACE, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:  # what has begun to stop writes to the end
            over.append(True)
        timer.cancel()


def _stop(
    asked: argparse.Namespace, found: dict[str, Any], name: str, alone: bool, left: int
) -> None:
    """End the process in the midst of a cell: a compiler asks nobody how much time is left."""
    if alone:
        found["steps"][name] = {"failed": f"it takes more than {asked.minutes:g} minutes"}
        save(asked, found)
    _say_left(left)
    sys.stdout.flush()
    os._exit(int(alone))


def _say_left(count: int) -> None:
    if count:
        print(f"{count} left for the next call")


def _step(asked: argparse.Namespace, cell: Cell) -> dict[str, Any]:
    """Time a two-moment step of a study beside the passes it is made of, in turn."""
    recipe, shape = STUDIES[cell.study]
    overrides = [f"training.precision={cell.precision}", *asked.set]
    run = next(p for p in plan(recipe, overrides=overrides) if p.scalarizer.name == "two-moment")
    fabric = fabric_for(asked.device, run.training.precision)
    torch.manual_seed(0)
    model = run.model.build(shape, CLASSES).to(fabric.device)
    model = model.to(memory_format=LAYOUTS[cell.layout])
    batch = asked.batch or run.training.batch_size
    x = torch.rand(batch, *shape, device=fabric.device)
    y = torch.randint(CLASSES, (batch,), device=fabric.device)
    compiled = Compiled(model, cell.mode, fabric.device)
    step = partial(
        train_step,
        InPrecision(compiled.network, fabric),
        run.optimizer.build(model.parameters()),
        run.threats,
        run.scalarizer,
        x,
        y,
        StepSettings(
            pass_size=run.training.pass_size,
            generator=torch.Generator().manual_seed(0),
            search=compiled.search,
        ),
    )
    plain = InPrecision(model, fabric)
    with tensor_float_32(cell.precision == "tf32"):
        floors = {
            size: captured(partial(_to_input, plain, *_grown(x, y, size)), fabric.device)
            for size in {climbing * batch for climbing, _ in _stages(run)} | {batch}
        }
        descent = captured(partial(_to_weights, plain, *_grown(x, y, 4 * batch)), fabric.device)
        timed = {str(size): replay for size, replay in floors.items()}
        seconds = in_turn({**timed, "descent": descent, "step": step}, asked.rounds)
    pass_seconds = {size: median(seconds[str(size)]) for size in floors}
    floor = median(seconds["descent"]) + sum(
        steps * pass_seconds[climbing * batch] for climbing, steps in _stages(run)
    )
    search, own = passes_per_example(run)
    seconds_a_step = median(seconds["step"])
    return {
        "images a second": round(batch / seconds_a_step, 1),
        "milliseconds a step": round(1000 * seconds_a_step, 2),
        "step / its captured passes": round(seconds_a_step / floor, 3),
        "microseconds a captured pass to the input, an example": {
            str(size): round(1e6 * value / size, 2) for size, value in sorted(pass_seconds.items())
        },
        "passes of 128 an hour": round(3600 * batch * (search + own) / 128 / seconds_a_step),
        "host waits a step": waits(step),
        "passes of a step": search + own,
        "batch": batch,
        "compile": compiled.outcome(),
    }


def _stages(run: RunPlan) -> list[tuple[int, int]]:
    """Return (threats that climb together, iterations) from the first iteration to the last."""
    assert not isinstance(run.scalarizer, LossScalarizer)
    counts = sorted(t.steps for t in run.threats.values() if isinstance(t, GradientThreat))
    ends = [0, *counts]
    stages = [
        (len(counts) - number, ends[number + 1] - ends[number]) for number in range(len(counts))
    ]
    return [(climbing, steps) for climbing, steps in stages if steps]


def _grown(x: Tensor, y: Tensor, size: int) -> tuple[Tensor, Tensor]:
    times = size // len(x)
    return x.repeat(times, 1, 1, 1), y.repeat(times)


def captured(run: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Return the same work as one CUDA graph; as it is on a CPU."""
    if device.type != "cuda":
        return run
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return partial(_replay, graph, run)


def _replay(graph: torch.cuda.CUDAGraph, recorded: Callable[[], object]) -> None:
    """Replay a graph; what it recorded holds the tensors that it reads."""
    graph.replay()


def _to_input(network: nn.Module, x: Tensor, y: Tensor) -> None:
    with attacked(network):
        leaf = x.detach().requires_grad_()
        torch.autograd.grad(cross_entropy(network(leaf), y).sum(), leaf)


def _to_weights(network: nn.Module, x: Tensor, y: Tensor) -> None:
    network.train()
    parameters = list(network.parameters())
    torch.autograd.grad(cross_entropy(network(x), y).mean(), parameters)


def in_turn(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return each run's seconds, one a round, the device waited for; some rounds warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + WARM_UP):
        for name, run in runs.items():
            _wait()
            started = time.perf_counter()
            run()
            _wait()
            if number >= WARM_UP:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def waits(run: Callable[[], object]) -> int | None:
    """Return how often the host waits for the GPU in a run; None on a CPU, which never does."""
    if not torch.cuda.is_available():
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("called a synchronizing" in str(one.message) for one in said)


def _wait() -> None:
    with contextlib.suppress(AssertionError):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
