"""What the paper's studies cost on one GPU, in three stages that each end on time and go on later.

    python -m benchmarks.gpu steps --out gpu.json
    python -m benchmarks.gpu study --epochs 12 --seeds 3 --side-by-side 2 --out gpu.json
    python -m benchmarks.gpu evaluation --examples 1000 --out gpu.json

`steps` (a) times the step of the two-moment program in the MNIST, the CIFAR-10 and the Caltech
study, in each precision, captured and compiled or not, in both layouts: images a second, host waits
a step, and the time over that of the same passes captured as CUDA graphs, each at the size that
the searches share. `study` (b) trains a study at a chosen number of epochs, several runs side by
side: each of as many processes takes what is neither done nor held by another. `evaluation` (c)
puts the finished runs of that study under the strong protocol.

Every stage writes into one JSON file after each cell or run, stops after its --minutes, and goes on
where it was when it is called again. What failed is counted, and the exit code is 1. On a machine
without a network, `benchmarks/gpu/run.sh` takes the same arguments, from what
`scripts/pack_gpu.sh` collected.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.evaluation import evaluate_study, judge_share
from benchmarks.gpu.steps import LAYOUTS, MODES, PRECISIONS, STUDIES, time_steps
from benchmarks.gpu.study import train_study, work

HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for and write the file."""
    asked = _parser().parse_args(arguments)
    if asked.command in ("work", "judge"):  # a process of `study` or `evaluation`
        sys.exit(1 if {"work": work, "judge": judge_share}[asked.command](asked) else 0)
    found = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    found["machine"] = _machine(asked.device)
    stages = {"steps": time_steps, "study": train_study, "evaluation": evaluate_study}
    failed = stages[asked.command](asked, found)
    print(json.dumps(found, indent=2))
    if failed:
        sys.exit(1)


def _machine(device: str) -> dict[str, Any]:
    cuda = device != "cpu" and torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "cores": os.cpu_count(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "benchmarks.gpu", description=(__doc__ or "").partition("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("steps", "study", "work", "evaluation", "judge"):
        one = commands.add_parser(name)
        one.add_argument("--out", type=Path, default=Path("gpu.json"))
        one.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
        one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
        one.add_argument("--minutes", type=float, default=8.5)
        one.add_argument("--results", type=Path, default=Path("results"))
        one.add_argument("--side-by-side", type=int, default=2)
        if name == "steps":
            one.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
            one.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
            one.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
            one.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
            one.add_argument("--batch", type=int, default=0, help="the recipe's where it is 0")
            one.add_argument("--rounds", type=int, default=7)
        elif name in ("study", "work"):
            one.add_argument("--recipe", type=Path, default=HERE / "mnist_rules.toml")
            one.add_argument("--epochs", type=int, default=20)
            one.add_argument("--seeds", type=int, default=0, help="the recipe's where it is 0")
        else:
            strong = HERE.parents[1] / "recipes/protocols/mnist_strong.toml"
            one.add_argument("--protocol", type=Path, default=strong)
            one.add_argument("--study", default="mnist_rules")
            one.add_argument("--examples", type=int, default=1000)
            one.add_argument("--share", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
