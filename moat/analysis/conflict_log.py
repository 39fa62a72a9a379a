"""The conflict over a training, from the log of its run: cosines, losses, and winners."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from moat.names import NATURAL
from moat.outcomes.intervals import Floats
from moat.public import public
from moat.records import Analysis, NamedArray

Log = Sequence[Mapping[str, Any]]
"""The lines of log.jsonl."""
WINDOW = 50
"""The logged steps whose losses are correlated, as the window of the two-moment program."""
_NETWORK = 0


@public
def with_logs(found: Analysis, logs: Mapping[str, Log]) -> Analysis:
    """Return a conflict with what the logs of its runs, by subject, tell of their trainings.

    Added are `logged_cosine` (subject, step, layer, pair), of runs with `training.conflict_every`;
    `loss_correlation` (subject, pair), that of the last 50 logged batch means of the losses; and
    `training_wins` (subject, threat), the mean weights of the last epoch in percent: under `max`
    the share of the examples that each threat wins. What a log lacks is NaN.
    """
    objectives = [NATURAL, *map(str, found.coordinates("threat"))]
    layers = [str(layer) for layer in found.coordinates("layer")]
    own = {str(name): logs.get(str(name), ()) for name in found.coordinates("subject")}
    return replace(found, arrays={**found.arrays, **logged_arrays(own, objectives, layers)})


def logged_arrays(
    logs: Mapping[str, Log], objectives: Sequence[str], layers: Sequence[str]
) -> dict[str, NamedArray]:
    """Return the arrays of the logs, a row for each subject; NaN for what a log lacks.

    `layers` begin with the whole network. No log of a conflict: no `logged_cosine`.
    """
    pairs = list(combinations(objectives, 2))
    measured = {
        name: {line["step"]: line["conflict"] for line in log if "conflict" in line}
        for name, log in logs.items()
    }
    steps = sorted({step for entries in measured.values() for step in entries})
    arrays: dict[str, NamedArray] = {}
    if steps:
        cosines = np.full((len(logs), len(steps), len(layers), len(pairs)), np.nan)
        for place, entries in enumerate(measured.values()):
            for step, entry in entries.items():
                cosines[place, steps.index(step)] = _cosines(entry, pairs, layers)
        arrays["step"] = NamedArray(np.array(steps), ("step",))
        arrays["logged_cosine"] = NamedArray(cosines, ("subject", "step", "layer", "pair"))
    correlations = np.array([loss_correlations(log, pairs) for log in logs.values()])
    if not np.isnan(correlations).all():
        arrays["loss_correlation"] = NamedArray(correlations, ("subject", "pair"))
    won = np.array([_won(log, objectives[1:]) for log in logs.values()])
    if not np.isnan(won).all():
        arrays["training_wins"] = NamedArray(won, ("subject", "threat"), "%")
    return arrays


def loss_correlations(log: Log, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return the correlations of the batch means of two losses over the last logged steps.

    NaN for an objective that was not measured, for fewer than three steps, and for a constant loss.
    """
    losses = [line["loss"] for line in log if "loss" in line][-WINDOW:]
    return [_correlation(losses, *pair) for pair in pairs]


def _correlation(losses: Sequence[Mapping[str, Any]], one: str, other: str) -> float:
    both = [(table.get(one), table.get(other)) for table in losses]
    known = np.array([pair for pair in both if None not in pair], np.float64)
    if len(known) < 3:
        return np.nan
    apart = known - known.mean(0)
    norm = float(np.sqrt((apart**2).sum(0).prod()))
    return float(apart[:, 0] @ apart[:, 1]) / norm if norm > 0 else np.nan


def _cosines(
    entry: Mapping[str, Any], pairs: Sequence[tuple[str, str]], layers: Sequence[str]
) -> Floats:
    """Return the cosines of an entry of the log, (layers, pairs)."""
    own = [tuple(sorted(pair)) for pair in combinations(entry["objectives"], 2)]
    found = np.full((len(layers), len(pairs)), np.nan)
    for row, layer in enumerate(layers):
        table = entry if row == _NETWORK else entry["layers"].get(layer)
        values = dict(zip(own, table["cosines"], strict=False)) if table else {}
        for column, pair in enumerate(pairs):
            if (value := values.get(tuple(sorted(pair)))) is not None:
                found[row, column] = value
    return found


def _won(log: Log, threats: Sequence[str]) -> list[float]:
    """Return the mean weights of the last epoch in percent, NaN without a weight."""
    steps = [line for line in log if "weight" in line]
    last = [line["weight"] for line in steps if line.get("epoch") == steps[-1].get("epoch")]
    known = [[weights.get(name) for weights in last] for name in threats]
    return [
        100 * float(np.mean(values)) if values and None not in values else np.nan
        for values in known
    ]
