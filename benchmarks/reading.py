"""The cost of each command that reads results: CPU seconds and memory of the whole process.

    python -m benchmarks.reading RESULTS [--rounds 5] [--runs 1000]
    python -m benchmarks.reading RESULTS --recipe FILE [--set KEY=VALUE]...

The median over rounds in which all commands ran in turn. `front` is also measured over --runs worse
copies of the runs below RESULTS. With the recipe that trained them, `moat train` is measured too,
which skips them all. It exits with 1 where a goal is missed, or torch is imported by another.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.fronts import copies

ENTRY = (
    "import sys; from moat.cli import main\n"
    "try: main()\n"
    "finally: sys.exit('torch was imported') if 'torch' in sys.modules else None"
)


class Cost(NamedTuple):
    """The cost of one process."""

    seconds: float  # of CPU, user and system
    mebibytes: float  # resident, at most


class Command(NamedTuple):
    """A command's arguments, and its goals."""

    arguments: tuple[str, ...]
    seconds: float
    mebibytes: float = 150.0
    torch: bool = False  # whether it may import torch


def commands(results: Path, out: Path) -> dict[str, Command]:
    """Return the commands that read the runs below a folder, by name."""
    first, second = sorted(path.parent for path in results.rglob("run.json"))[:2]
    return {
        "score": Command(("score", str(first)), 1.0),
        "compare": Command(("compare", str(first), str(second), "--out", str(out)), 1.0),
        "watch --once": Command(("watch", str(results), "--once"), 1.0),
        "front": Command(("front", str(results), "--out", str(out)), 1.4),
        "report": Command(("report", str(results), "--out", str(out)), 1.4),
        "list": Command(("list", "threats"), 1.0),
    }


def skipping(recipe: Path, overrides: Sequence[str], results: Path) -> Command:
    """Return the command that trains a study whose runs are all finished."""
    words = [word for text in overrides for word in ("--set", text)]
    asked = ("train", str(recipe), *words, "--results", str(results), "--device", "cpu")
    return Command(asked, 2.4, 750.0, torch=True)


def cost_of(arguments: Iterable[str], torch: bool = False) -> Cost:
    """Run a command in a process of its own, and return what it took."""
    entry = ENTRY.partition("\n")[0] + "; main()" if torch else ENTRY
    process = subprocess.Popen(
        [sys.executable, "-c", entry, *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"moat {' '.join(arguments)} exited with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        measured = commands(asked.results, out)
        many = Path(folder) / "many"
        copies(asked.results, asked.runs, many)
        measured[f"front, {asked.runs} runs"] = Command(
            ("front", str(many), "--out", str(out)), 3.5, 400.0
        )
        if asked.recipe:
            measured["train, finished"] = skipping(asked.recipe, asked.set, asked.results)
        costs: dict[str, list[Cost]] = {name: [] for name in measured}
        for _ in range(asked.rounds):
            for name, command in measured.items():
                costs[name].append(cost_of(command.arguments, command.torch))
        shutil.rmtree(many)
    missed = _show(measured, costs)
    sys.exit(f"above the goal: {', '.join(missed)}" if missed else 0)


def _show(measured: dict[str, Command], costs: dict[str, list[Cost]]) -> list[str]:
    """Print the medians beside the goals, and return which are missed."""
    table = Table("command", "CPU s", "goal", "MiB", "goal")
    missed = []
    for name, command in measured.items():
        seconds = median(cost.seconds for cost in costs[name])
        mebibytes = median(cost.mebibytes for cost in costs[name])
        figures = (seconds, command.seconds, mebibytes, command.mebibytes)
        table.add_row(name, *(f"{figure:.4g}" for figure in figures))
        if seconds > command.seconds or mebibytes > command.mebibytes:
            missed.append(name)
    Console().print(table)
    return missed


if __name__ == "__main__":
    main()
