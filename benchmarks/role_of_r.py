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
from numpy.typing import NDArray

from moat.names import NATURAL
from moat.runs import find_runs, opened

QUARTERS = 4
SHARE = "clamped_share"

Log = Iterable[Mapping[str, Any]]
ByQuarter = Callable[[Log, Mapping[str, Any]], list[float] | None]
Shares = NDArray[np.float64]


def out_of_reach(log: Log, training: Mapping[str, Any]) -> list[float] | None:
    """Return the share of steps out of reach in all and in each quarter, in percent, if any.

    The share in all is that of run.json. The log has the share so far at every tenth step, so the
    ends of the quarters are near.
    """
    entries = [(line["step"], line[SHARE] * line["step"]) for line in log if SHARE in line]
    if len(entries) < QUARTERS:
        return None
    steps, counts = map(np.array, zip(*[(0, 0.0), *entries], strict=True))
    ends = np.linspace(0, steps[-1], QUARTERS + 1)
    places = np.abs(steps[:, None] - ends).argmin(axis=0)
    of_quarters = np.diff(counts[places]) / np.diff(steps[places])
    return [100 * float(share) for share in (training["scalarizer"][SHARE], *of_quarters)]


def natural_weight(log: Log, _training: Mapping[str, Any]) -> list[float] | None:
    """Return the mean weight of the natural loss in all logged steps and in quarters, in percent.

    None if the rule gives it no weight of its own, as `average` does not.
    """
    weights = [line["weight"].get(NATURAL, 0.0) for line in log if "weight" in line]
    if len(weights) < QUARTERS or not any(weights):
        return None
    parts = [np.array(weights), *np.array_split(weights, QUARTERS)]
    return [100 * float(part.mean()) for part in parts]


def shares(results: Path, by_quarter: ByQuarter) -> dict[str, Shares]:
    """Return the shares of each setting, a row for each seed: in all, and in the quarters."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for run in find_runs(opened(results)):
        record = run.read_record()
        if record is None:
            continue
        of_run = by_quarter(run.read_log(), record.training)
        if of_run is not None:
            found[record.label].append(of_run)
    return {label: np.array(of) for label, of in found.items()}


def table(results: Path, title: str, by_quarter: ByQuarter) -> str:
    """Return a line for each setting: its share in the whole training, and in the quarters."""
    names = ["all", *(f"quarter {number + 1}" for number in range(QUARTERS))]
    lines = [f"{title:<32} seeds  " + "  ".join(f"{name:>18}" for name in names)]
    for label, of in shares(results, by_quarter).items():
        cells = [
            f"{mean:5.1f} ({low:4.1f}..{high:5.1f})"
            for mean, low, high in zip(of.mean(0), of.min(0), of.max(0), strict=True)
        ]
        lines.append(f"{label:<32} {len(of):>5}  " + "  ".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    place = parser.parse_args().results
    print(table(place, "steps out of reach, %", out_of_reach), end="\n\n")
    print(table(place, "weight of the natural loss, %", natural_weight))
