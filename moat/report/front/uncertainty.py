"""The certainty of a front over other test examples and other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moat.fronts import non_dominated
from moat.outcomes import resampling_weights, seed_moves
from moat.outcomes.intervals import FEWEST_SEEDS, Floats
from moat.outcomes.resampling import DRAWS
from moat.report.front.objectives import Objective, signs_of
from moat.report.intervals import added_by, intervals_of, judged_alike, spoken_of
from moat.report.settings import Setting, rows_in

RESAMPLED = 4
"""Decimals of a resampled score that count: it is a product in single precision."""
_TOGETHER = 2_000_000
"""Numbers of a matrix of contributions that are held at once."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The effect of other test examples, and of other seeds if there are several, on a front.

    `low` and `high` (settings, objectives) are the ends of the 95 % intervals, NaN of settings with
    two seeds; `over` says what each setting's speak of. `on_front` (settings,) is the share of
    resamples in which no other setting dominates the one: None where some settings have several
    seeds and others fewer than three, since it compares what these cannot tell.
    """

    low: Floats
    high: Floats
    over: tuple[str | None, ...]
    on_front: Floats | None


def uncertainty_of(
    settings: Sequence[Setting], objectives: Sequence[Objective], draws: int = DRAWS
) -> Uncertainty | None:
    """Return a front's intervals and probabilities; None on unequal examples.

    One resample takes the same test examples for every run, so that runs stay paired, and natural
    runs with what they are the baseline of. Of several seeds it moves each setting's mean as far as
    Student's t with as many degrees of freedom may lie from it, equal seeds alike. So what is told
    of one seed says nothing of the luck of training.
    """
    if not judged_alike(rows_in(settings)):
        return None
    seeds = [len(setting.rows) for setting in settings]
    compared = max(seeds) == 1 or min(seeds) >= FEWEST_SEEDS
    examples = len(settings[0].first.outcomes.ids)
    weights = resampling_weights(examples, draws if compared else 0)
    luck = seed_moves([setting.seeds for setting in settings], len(weights))
    low, high = (np.empty((len(settings), len(objectives))) for _ in range(2))
    scores = np.empty((len(weights), len(settings), len(objectives)))
    for some in _blocks(settings, examples * len(objectives)):
        added = [added_by(settings[place].rows, objectives) for place in some]
        means = np.concatenate([each.mean(0) for each in added]).astype(np.float32)
        scores[:, some] = (weights @ means.T).reshape(len(weights), len(some), len(objectives))
        low[some], high[some] = intervals_of(added, [settings[n].rows for n in some], objectives)
        for place, each in zip(some, added, strict=True):
            scores[:, place] += luck[place] @ (each.mean(-1) - each.mean((0, -1)))
    on_front = _on_front(scores, objectives) if compared else None
    return Uncertainty(low, high, tuple(map(spoken_of, seeds)), on_front)


def _on_front(scores: Floats, objectives: Sequence[Objective]) -> Floats:
    """Return in what share of the resamples (draws, settings, objectives) nothing dominates each.

    Equal runs stay equal: their scores are rounded.
    """
    points = scores.round(RESAMPLED) * signs_of(objectives)
    return np.asarray(np.mean([non_dominated(each) for each in points], axis=0))


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
