"""The cost of the paper's studies on one GPU, in three stages that end on time and resume.

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
where it was when it is called again, also where it was killed. What failed is counted, and the exit
code is 1; 2 says that nothing was measured: no such device, a file that is broken or another
machine's.

Where --out is a folder, it gets the file as gpu.json and what was trained as archives of about 15
MB, without the checkpoints of finished runs. On another machine `--go-on FOLDER` takes both up. On
one without a network, `benchmarks/gpu/run.sh` takes the same arguments, from what
`scripts/pack_gpu.sh` collected.
"""

import argparse
import contextlib
import json
import math
import sys
from pathlib import Path

from benchmarks.gpu.evaluation import evaluate_study, judge_share
from benchmarks.gpu.output import open_output
from benchmarks.gpu.steps import LAYOUTS, MODES, PRECISIONS, STUDIES, time_steps
from benchmarks.gpu.study import end_with_parent, train_study, work
from moat.errors import MoatError
from moat.training import fabric_for

HERE = Path(__file__).parent
STAGES = {"steps": time_steps, "study": train_study, "evaluation": evaluate_study}
WORKERS = {"work": work, "judge": judge_share}
"""Processes of `study` and of `evaluation`."""


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for and write the file."""
    asked = _parser().parse_args(arguments)
    try:
        fabric_for(asked.device, "32-true")  # an absent device is refused at once
        failed = _work(asked) if asked.command in WORKERS else _measure(asked)
    except MoatError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    if failed:
        sys.exit(1)


def _measure(asked: argparse.Namespace) -> int:
    found = open_output(asked)
    failed = STAGES[asked.command](asked, found)
    print(json.dumps(found, indent=2))
    return failed


def _work(asked: argparse.Namespace) -> int:
    if asked.tied:
        end_with_parent()
    return WORKERS[asked.command](asked)


def _above_zero(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"should be a number above 0, not {text!r}")


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"should be a whole number above 0, not {text!r}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "benchmarks.gpu", description=(__doc__ or "").partition("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("steps", "study", "work", "evaluation", "judge"):
        one = commands.add_parser(name)
        one.add_argument("--out", type=Path, default=Path("gpu.json"), help="a file or a folder")
        one.add_argument("--go-on", type=Path, help="the --out folder of an earlier call")
        one.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
        one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
        one.add_argument("--minutes", type=_above_zero, default=8.5)
        one.add_argument("--results", type=Path, default=Path("results"))
        one.add_argument("--side-by-side", type=_count, default=2)
        one.add_argument("--tied", action="store_true", help=argparse.SUPPRESS)
        if name == "steps":
            one.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
            one.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
            one.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
            one.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
            one.add_argument("--batch", type=int, default=0, help="the recipe's where it is 0")
            one.add_argument("--rounds", type=_count, default=7)
        elif name in ("study", "work"):
            one.add_argument("--recipe", type=Path, default=HERE / "mnist_rules.toml")
            one.add_argument("--epochs", type=_count, default=20)
            one.add_argument("--seeds", type=int, default=0, help="the recipe's where it is 0")
        else:
            strong = HERE.parents[1] / "recipes/protocols/mnist_strong.toml"
            one.add_argument("--protocol", type=Path, default=strong)
            one.add_argument("--study", default="mnist_rules")
            one.add_argument("--examples", type=_count, default=1000)
            one.add_argument("--share", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
