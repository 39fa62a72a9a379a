"""Ratios that a noisy machine cannot bend: everything in turn, A B C A B C, medians."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Run = Callable[[], object]


def in_turn(
    runs: Mapping[str, Run], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Return each run's seconds, one a round; a first round warms up and is not counted.

    `time.process_time` counts the processor's seconds, which other work on the machine leaves be.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            started = clock()
            run()
            if number:
                seconds[name].append(clock() - started)
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    """Return the median of the ratios within each round."""
    return median(a / b for a, b in zip(above, below, strict=True))
