"""The rank correlation of scores with a strength, and its interval over examples and seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moat.errors import InputError
from moat.outcomes.intervals import FEWEST_SEEDS, LEVEL, Floats
from moat.outcomes.matrix import Outcomes
from moat.outcomes.resampling import DRAWS, resampling_weights, seed_moves
from moat.outcomes.searches import NATURAL_SEARCHES, Searches, withstood
from moat.public import public

Seeds = Mapping[int, Outcomes]
"""The outcomes of one setting's runs, by seed."""
FEWEST_PLACES = 3
"""Of fewer strengths every order is a perfect one."""
_DECIMALS = 4
"""Decimals of a resampled score that count, as in `moat front`."""


@dataclass(frozen=True)
class Trend:
    """A rank correlation with the ends of its 95 % interval, NaN if there is none.

    Example:
        >>> Trend(0.9, 0.6, 1.0).direction
        'rises'
    """

    value: float
    low: float
    high: float

    @property
    def direction(self) -> str:
        """The direction that the whole interval has: "rises", "falls", or "open"."""
        if self.low > 0:
            return "rises"
        return "falls" if self.high < 0 else "open"


@public
def rank_correlations(strengths: Any, scores: Any) -> Floats:
    """Return Spearman's rank correlation of strengths (places,) with scores (..., places).

    Equal values share their mean rank. Where all scores are equal it is 0: nothing rises or falls.

    Example:
        >>> rank_correlations([5, 10, 20], [[70.0, 80.0, 90.0], [70.0, 60.0, 65.0]]).tolist()
        [1.0, -0.5]

    Source: Spearman, The Proof and Measurement of Association between Two Things, 1904.
    """
    from scipy.stats import rankdata  # here: it takes as long as all else of this room

    x = rankdata(np.asarray(strengths, np.float64))
    y = rankdata(np.asarray(scores, np.float64), axis=-1)
    x, y = x - x.mean(), y - y.mean(-1, keepdims=True)
    norms = np.sqrt((x**2).sum() * (y**2).sum(-1))
    return np.asarray((y @ x) / np.where(norms > 0, norms, 1.0))


@dataclass(frozen=True, eq=False)
class Resampled:
    """The scores of some settings: `found` (places,), and in each resample, (draws, places).

    `drawn` is None where seeds are too few to say how far they differ.
    """

    found: Floats
    drawn: Floats | None

    def through(self, change: Callable[[Floats], Floats]) -> "Resampled":
        """Return what a function of the scores (..., places) makes of them."""
        return Resampled(change(self.found), None if self.drawn is None else change(self.drawn))

    def less(self, other: "Resampled") -> "Resampled":
        """Return the difference to other scores on the same resamples."""
        if self.drawn is None or other.drawn is None:
            return Resampled(self.found - other.found, None)
        return Resampled(self.found - other.found, self.drawn - other.drawn)

    def trend(self, strengths: Sequence[float]) -> Trend:
        """Return the rank correlation with the strengths of the places."""
        value = float(rank_correlations(strengths, self.found.round(_DECIMALS)))
        if self.drawn is None:
            return Trend(value, np.nan, np.nan)
        each = rank_correlations(strengths, self.drawn.round(_DECIMALS))
        return Trend(value, *_ends(each))


@public
def resampled_scores(
    places: Sequence[Seeds],
    searches: Callable[[Outcomes], Sequence[Searches]],
    *,
    conditional: bool = False,
    draws: int = DRAWS,
) -> Resampled:
    """Return the scores of some settings, on the test examples and on resamples of these.

    A score is the mean over groups of searches of the share in percent that withstood a group,
    averaged over seeds; `conditional`: among the examples that are classified correctly without a
    search, anew in each resample. One resample has the same examples for every run. With three
    seeds or more it also moves each mean as `seed_moves` does; with two seeds somewhere there are
    no resamples. Raises InputError for runs on different examples.
    """
    counts = {len(seeds) for seeds in places}
    first = next(iter(places[0].values()))
    ids = np.sort(first.ids)
    told = counts == {1} or min(counts) >= FEWEST_SEEDS
    weights = resampling_weights(len(ids), draws if told else 0).astype(np.float64)
    moves = seed_moves([list(seeds) for seeds in places], len(weights))
    found, drawn = [], []
    for seeds, move in zip(places, moves, strict=True):
        values, resampled = [], []
        for outcomes in seeds.values():
            held, among = _counted(outcomes, searches(outcomes), conditional, ids)
            values.append(100 * _share(held.mean(), among.mean()))
            resampled.append(100 * _share(weights @ held, weights @ among))
        mean = np.mean(values)
        found.append(mean)
        drawn.append(np.mean(resampled, 0) + move @ (np.array(values) - mean))
    return Resampled(np.array(found), np.stack(drawn, -1) if told else None)


def _counted(
    outcomes: Outcomes, groups: Sequence[Searches], conditional: bool, ids: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return by example, in the order of the ids, the share of groups withstood, and the base."""
    order = np.argsort(outcomes.ids, kind="stable")
    if not np.array_equal(outcomes.ids[order], ids):
        raise InputError(
            "the runs were evaluated on different test examples, so they cannot be compared.",
            hint="Evaluate them under one protocol: moat evaluate RUN --protocol FILE",
        )
    among = np.ones(len(ids))
    if conditional:
        among = withstood(outcomes, NATURAL_SEARCHES).astype(np.float64)
    held = np.mean([withstood(outcomes, group) for group in groups], axis=0) * among
    return held[order], among[order]


def _share(held: ArrayLike, among: ArrayLike) -> Floats:
    """Return a share; of nothing it is 0."""
    base = np.asarray(among, np.float64)
    return np.asarray(np.asarray(held) / np.where(base > 0, base, 1.0))


def _ends(drawn: Floats) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)
