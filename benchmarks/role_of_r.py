"""The role of r: the steps in which no weights reach it, and the weight of the natural loss.

    python -m benchmarks.role_of_r docs/results/mnist14_rules.zip

Read from the logs of the runs: the share of steps out of reach, which only `two-moment` has, and
the weight of the natural loss under every rule. Means over seeds, in percent, with their range, for
the whole training and its quarters.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moat.names import NATURAL
from moat.runs import find_runs, opened

QUARTERS = 4
SHARE = "clamped_share"

Log = Iterable[Mapping[str, Any]]


def out_of_reach(log: Log) -> list[float] | None:
    """Return the share of steps out of reach in each quarter, in percent; None without them.

    The log has the share so far at every tenth step, so the ends of the quarters are near.
    """
    entries = [(line["step"], line[SHARE] * line["step"]) for line in log if SHARE in line]
    if len(entries) < QUARTERS:
        return None
    steps, counts = map(np.array, zip(*[(0, 0.0), *entries], strict=True))
    ends = np.linspace(0, steps[-1], QUARTERS + 1)
    places = np.abs(steps[:, None] - ends).argmin(axis=0)
    return list(100 * np.diff(counts[places]) / np.diff(steps[places]))


def natural_weight(log: Log) -> list[float] | None:
    """Return the mean weight of the natural loss in each quarter of the logged steps, in percent.

    None if the rule gives it no weight of its own, as `average` does not.
    """
    weights = [line["weight"].get(NATURAL, 0.0) for line in log if "weight" in line]
    if len(weights) < QUARTERS or not any(weights):
        return None
    return [100 * float(part.mean()) for part in np.array_split(np.array(weights), QUARTERS)]


def table(results: Path, title: str, by_quarter: Callable[[Log], list[float] | None]) -> str:
    """Return a line for each setting: its share in the whole training, and in the quarters."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for run in find_runs(opened(results)):
        record = run.read_record()
        if record is not None and (shares := by_quarter(run.read_log())) is not None:
            found[record.label].append([float(np.mean(shares)), *shares])
    names = ["all", *(f"quarter {number + 1}" for number in range(QUARTERS))]
    lines = [f"{title:<32} seeds  " + "  ".join(f"{name:>18}" for name in names)]
    for label, of in found.items():
        shares = np.array(of)
        cells = [
            f"{mean:5.1f} ({low:4.1f}..{high:5.1f})"
            for mean, low, high in zip(shares.mean(0), shares.min(0), shares.max(0), strict=True)
        ]
        lines.append(f"{label:<32} {len(of):>5}  " + "  ".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    place = parser.parse_args().results
    print(table(place, "steps out of reach, %", out_of_reach), end="\n\n")
    print(table(place, "weight of the natural loss, %", natural_weight))
