"""What the paper's studies cost on one GPU: single steps, and the MNIST study at fewer epochs.

    python -m benchmarks.gpu steps --out gpu.json
    python -m benchmarks.gpu study --epochs 10 --side-by-side 4 --minutes 9 --out gpu.json

`steps` times the step of the two-moment program in the MNIST and the CIFAR-10 study, in each
precision, as it is and compiled: images a second, and the time over that of the passes it is made
of (searches at the floor, one forward and backward to the input; the descent in training passes).

`study` trains a study at a chosen number of epochs, several runs side by side: as many processes
walk through all runs, and each takes what is neither done nor held by another. After the minutes
given they are stopped; the same command goes on from the last checkpoints. When runs are finished
it says what the whole study would take. A process that fails is counted, and the exit code is 1.

Both write into one JSON file. What stands in it is not measured again.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.steps import PRECISIONS, STUDIES, time_steps
from benchmarks.gpu.study import train_study, work


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for and write the file."""
    asked = _parser().parse_args(arguments)
    if asked.command == "work":  # a process of `study`
        sys.exit(1 if work(asked) else 0)
    found = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    found["machine"] = _machine(asked.device)
    failed = 0
    if asked.command == "steps":
        time_steps(asked, found)
    else:
        failed = train_study(asked, found)
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
