"""How sure a front is: other test examples and other seeds might have drawn it otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moat.fronts import non_dominated
from moat.outcomes import percentile_interval, resampling_weights
from moat.outcomes.resampling import DRAWS
from moat.report.front.objectives import Objective, signs_of
from moat.report.settings import Setting

RESAMPLED = 4
"""Decimals of a resampled score that count: it is a product in single precision."""
_TOGETHER = 2_000_000
"""Numbers of a matrix of contributions that are held at once."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What resampling test examples, and seeds where a setting has several, does to a front.

    `low` and `high` (settings, objectives) are the ends of the 95 % intervals; `on_front`
    (settings,) is the share of resamples in which no other setting dominates the one.
    """

    low: NDArray[np.floating]
    high: NDArray[np.floating]
    on_front: NDArray[np.float64]


def uncertainty_of(
    settings: Sequence[Setting], objectives: Sequence[Objective], draws: int = DRAWS
) -> Uncertainty | None:
    """Return a front's intervals and probabilities by the bootstrap; None on unequal examples.

    One resample takes the same test examples for every run, and of each setting as many of its
    seeds as it has, with replacement: runs stay paired, and natural runs with what they are the
    baseline of. So an interval of one seed says nothing of the luck of training.
    """
    if not _same_examples(settings):
        return None
    scores = _resampled(settings, objectives, draws).round(RESAMPLED)  # equal runs stay equal
    signs = signs_of(objectives)
    on_front = np.mean([non_dominated(points * signs) for points in scores], axis=0)
    low, high = percentile_interval(scores)
    return Uncertainty(low, high, np.asarray(on_front))


def _same_examples(settings: Sequence[Setting]) -> bool:
    rows = [row for setting in settings for row in setting.rows]
    every = dict.fromkeys(run for row in rows for run in (row.point, *row.origin))
    ids = [np.sort(run.outcomes.ids) for run in every]
    return all(np.array_equal(ids[0], other) for other in ids[1:])


def _resampled(
    settings: Sequence[Setting], objectives: Sequence[Objective], draws: int
) -> NDArray[np.float64]:
    """Return the resampled scores of every setting, of shape (draws, settings, objectives)."""
    examples = len(settings[0].first.outcomes.ids)
    weights = resampling_weights(examples, draws)
    generator = np.random.default_rng(1)
    scores = np.empty((draws, len(settings), len(objectives)))
    for some in _blocks(settings, examples * len(objectives)):
        runs = [row for place in some for row in settings[place].rows]
        added = np.stack([o.per_example(row) for row in runs for o in objectives], axis=1)
        means = (weights @ added.astype(np.float32)).reshape(draws, len(runs), len(objectives))
        start = 0
        for place in some:
            seeds = len(settings[place].rows)
            drawn = start + generator.integers(seeds, size=(draws, seeds))
            scores[:, place] = means[np.arange(draws)[:, None], drawn].mean(axis=1)
            start += seeds
    return scores


def _blocks(settings: Sequence[Setting], numbers: int) -> list[list[int]]:
    """Return the places of the settings in blocks that are held at once."""
    blocks: list[list[int]] = [[]]
    held = 0
    for place, setting in enumerate(settings):
        size = numbers * len(setting.rows)
        if blocks[-1] and held + size > _TOGETHER:
            blocks.append([])
            held = 0
        blocks[-1].append(place)
        held += size
    return blocks
