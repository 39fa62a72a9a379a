"""The cost of a front of very many runs, and of filtering very many points.

    python -m benchmarks.fronts RESULTS [--runs 1000] [--points 100000]

The runs are copies of those below RESULTS, each of a setting of its own, with a random share of the
outcomes that stood made to fall. Seconds of this process after its start-up, which is told apart.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def copies(results: Path, runs: int, into: Path) -> None:
    """Write so many worse copies of the finished runs below a folder, each of another setting."""
    from moat.records import RunRecord
    from moat.runs import RunFolder, find_runs

    random = np.random.default_rng(0)
    kept = shutil.ignore_patterns("checkpoint.pt", "*.safetensors", "validation.npz", "gallery.npz")
    for number, run in enumerate(islice(cycle(find_runs(results)), runs)):
        folder = RunFolder(into / f"{number:04}")
        shutil.copytree(run.path, folder.path, ignore=kept)
        record, loaded = folder.read_record(), folder.load_evaluation()
        if record is None or loaded is None:
            raise SystemExit(f"{run.path} has no evaluation")
        arrays, about = loaded
        stands = random.random(arrays["outcomes"].shape) > 0.3 * random.random()
        folder.save_evaluation(
            {**arrays, "outcomes": arrays["outcomes"] * stands}, about.as_table()
        )
        table = record.as_table()
        table.pop("files", None)  # digests of the files that are copied otherwise
        table |= {"label": f"{record.label} copy={number}", "sweep": {"copy": number}}
        folder.write_record(RunRecord.model_validate(table))


def timed(name: str, run: Callable[[], T]) -> T:
    """Run, and print what it took."""
    began = time.perf_counter()
    found = run()
    print(f"{name}: {time.perf_counter() - began:.2f} s")
    return found


def main() -> None:
    """Print what each part takes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=100_000)
    asked = parser.parse_args()
    began = time.perf_counter()
    from moat.fronts import non_dominated
    from moat.report import front_table, interval_table, make_fronts, write_front

    print(f"start-up: {time.perf_counter() - began:.2f} s")
    points = np.random.default_rng(0).random((asked.points, 3))
    timed(f"filtering {asked.points:,} points", lambda: non_dominated(points))
    with tempfile.TemporaryDirectory() as folder:
        copies(asked.results, asked.runs, Path(folder, "runs"))
        began = time.perf_counter()
        report = timed("fronts", lambda: make_fronts(Path(folder, "runs")))
        timed("tables", lambda: [(front_table(f), interval_table(f)) for f in report.fronts])
        timed("files", lambda: write_front(report, Path(folder, "out")))
        print(f"moat front, {asked.runs:,} runs: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
