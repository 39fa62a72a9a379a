"""The share of training steps in which no weights reach r, by quarters of the training.

    python -m benchmarks.out_of_reach docs/results/mnist14_rules.zip

Read from the logs of the runs under `two-moment`, which hold the share of such steps so far. Shares
are means over seeds, in percent, with their range.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moat.runs import find_runs, opened

QUARTERS = 4
SHARE = "clamped_share"


def by_quarter(log: Iterable[Mapping[str, Any]]) -> list[float] | None:
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


def table(results: Path) -> str:
    """Return a line for each setting: the share in the whole training, and in its quarters."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for run in find_runs(opened(results)):
        record = run.read_record()
        if record is not None and (shares := by_quarter(run.read_log())) is not None:
            found[record.label].append([float(np.mean(shares)), *shares])
    names = ["all", *(f"quarter {number + 1}" for number in range(QUARTERS))]
    lines = [f"{'setting':<28} seeds  " + "  ".join(f"{name:>18}" for name in names)]
    for label, of in found.items():
        shares = np.array(of)
        cells = [
            f"{mean:5.1f} ({low:4.1f}..{high:5.1f})"
            for mean, low, high in zip(shares.mean(0), shares.min(0), shares.max(0), strict=True)
        ]
        lines.append(f"{label:<28} {len(of):>5}  " + "  ".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    print(table(parser.parse_args().results))
