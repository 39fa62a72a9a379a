"""What the paper's studies cost on one GPU: single steps, and the MNIST study at fewer epochs.

    python -m benchmarks.gpu steps --out gpu.json
    python -m benchmarks.gpu study --epochs 10 --side-by-side 4 --minutes 9 --out gpu.json

`steps` times the step of the two-moment program in the MNIST and the CIFAR-10 study, in each
precision, as it is and compiled: images a second, and the time over that of the passes it is made
of (searches at the floor, one forward and backward to the input; the descent in training passes).

`study` trains a study at a chosen number of epochs, several runs side by side: as many processes
walk through all runs, and each takes what is neither done nor held by another. After the minutes
given they are stopped; the same command goes on from the last checkpoints. When runs are finished
it says what the whole study would take.

Both write into one JSON file. What stands in it is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch
from torch import nn

from benchmarks.step import to_input
from benchmarks.timing import ratio
from moat.errors import BusyError
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.precision import tensor_float_32
from moat.recipe import RunPlan
from moat.runs import CACHE, RunFolder
from moat.storage import replace, to_json
from moat.study import StudyListener, plan
from moat.study.estimates import passes_per_example
from moat.study.identity import is_done
from moat.study.loading import laid_out
from moat.study.one_run import run_one
from moat.training import InPrecision, fabric_for, train_step

RECIPES = Path(__file__).parents[1] / "recipes"
STUDIES = {
    "mnist": (RECIPES / "mnist_pareto.toml", (1, 28, 28)),
    "cifar10": (RECIPES / "cifar10_pareto.toml", (3, 32, 32)),
}
PRECISIONS = ("32-true", "tf32", "bf16-mixed")
CLASSES = 10


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for and write the file."""
    asked = _parser().parse_args(arguments)
    if asked.command == "work":  # a process of `study`
        _work(asked)
        return
    found = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    found["machine"] = _machine(asked.device)
    if asked.command == "steps":
        _steps(asked, found)
    else:
        _study(asked, found)
    print(json.dumps(found, indent=2))


# Single steps.


def _steps(asked: argparse.Namespace, found: dict[str, Any]) -> None:
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


# A study at fewer epochs.


def _study(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Let processes work on the runs until the time is up, then say what is known."""
    deadline = time.monotonic() + 60 * asked.minutes
    options = [*_options(asked), "--minutes", str(asked.minutes), "--out", str(asked.out)]
    command = [sys.executable, "-m", "benchmarks.gpu", "work", *options]
    threads = str(max(1, (os.cpu_count() or 1) // asked.side_by_side))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    workers = [subprocess.Popen(command, env=environment) for _ in range(asked.side_by_side)]
    try:
        for worker in workers:
            worker.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    found["study"] = _summary(asked, _plans(asked))
    replace(asked.out, to_json(found))


def _work(asked: argparse.Namespace) -> None:
    """Take every run that is neither done nor held by another process, one after the other."""
    data = None
    for run in _plans(asked):
        folder = RunFolder(asked.results / run.path)
        if is_done(run, folder):
            continue
        data = data or run.dataset.load(asked.results / CACHE)
        try:
            run_one(run, folder, data, asked.device, StudyListener())
        except BusyError:
            continue


def _plans(asked: argparse.Namespace) -> list[RunPlan]:
    """Return the runs at the chosen number of epochs, milestones at the same shares of it."""
    whole = plan(asked.recipe)[0]
    overrides = [f"training.epochs={asked.epochs}", *asked.set]
    milestones = getattr(whole.schedule, "milestones", ())
    if milestones:
        scaled = {max(1, round(m * asked.epochs / whole.training.epochs)) for m in milestones}
        overrides.append(f"schedule.milestones={sorted(scaled)}")
    return plan(asked.recipe, overrides=overrides)


def _summary(asked: argparse.Namespace, plans: list[RunPlan]) -> dict[str, Any]:
    """Return what is finished, and what the whole study would take at the same rate."""
    full = plan(asked.recipe)[0].training.epochs
    finished: dict[str, Any] = {}
    per_epoch: list[float] = []
    for run in plans:
        folder = RunFolder(asked.results / run.path)
        if is_done(run, folder):
            record = folder.read_record() or {}
            per_epoch.append(record["training"]["seconds"] / asked.epochs)
            finished[run.label] = {
                "seconds an epoch": round(per_epoch[-1], 2),
                "images a second": record["training"]["images_per_second"],
                "natural": round(record["scores"]["natural"], 2),
                "total": round(record["scores"]["total"], 2),
            }
    hours = full * fmean(per_epoch) * len(plans) / 3600 if per_epoch else None
    return {
        "recipe": asked.recipe.name,
        "epochs": asked.epochs,
        "side by side": asked.side_by_side,
        "finished": finished,
        "runs": len(plans),
        f"GPU hours of training at {full} epochs, {asked.side_by_side} side by side": (
            None if hours is None else round(hours / asked.side_by_side, 2)
        ),
    }


def _machine(device: str) -> dict[str, Any]:
    cuda = device != "cpu" and torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "cores": os.cpu_count(),
    }


def _options(asked: argparse.Namespace) -> list[str]:
    """Return the options of `study` as they are handed to its processes."""
    given = {"--epochs": asked.epochs, "--results": asked.results, "--device": asked.device}
    named = [part for name, value in given.items() for part in (name, str(value))]
    sets = [part for one in asked.set for part in ("--set", one)]
    return [*named, "--recipe", str(asked.recipe), "--side-by-side", str(asked.side_by_side), *sets]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("steps", "study", "work"):
        one = commands.add_parser(name)
        one.add_argument("--out", type=Path, default=Path("gpu.json"))
        one.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
        one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
        if name == "steps":
            one.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
            one.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
            one.add_argument("--compiled", action=argparse.BooleanOptionalAction, default=True)
            one.add_argument("--rounds", type=int, default=9)
        else:
            one.add_argument("--recipe", type=Path, default=STUDIES["mnist"][0])
            one.add_argument("--epochs", type=int, default=10)
            one.add_argument("--side-by-side", type=int, default=4)
            one.add_argument("--minutes", type=float, default=9.0)
            one.add_argument("--results", type=Path, default=Path("results"))
    return parser


if __name__ == "__main__":
    main()
