"""Overfitting (Figure 6): one variant's robustness minus another's as a training threat grows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.analysis.swept_outcomes import (
    SweptOutcomes,
    difference_with_interval,
    interval_notes,
    interval_scope,
    require_common_threats,
    require_strengths,
)
from moat.analysis.trend_arrays import ends_of, finding_of, trend_finding, trends_in, with_ends
from moat.outcomes import resampled_scores, searches_of
from moat.outcomes.intervals import LEVEL, Floats
from moat.outcomes.searches import Searches
from moat.outcomes.trends import Resampled
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, NamedArray

_POINTS = "percentage points"
_THREAT = ("threat",)
WinShares = Mapping[float, Mapping[str, float]]
"""The share of examples, in percent, that each threat wins under `max`, at each strength."""


@public_at_once
def overfitting(
    ours: SweptOutcomes,
    theirs: SweptOutcomes,
    *,
    threats: Sequence[str] = (),
    conditional: bool = False,
    strength: str = "strength",
    wins: WinShares | None = None,
) -> Analysis:
    """Return how far one variant's scores lie above another's as a training threat grows.

    Both variants have the outcomes of their runs at each strength, by seed; strengths that only one
    has are left out. Arrays: `difference` (percentage points) with axes threat and strength, paired
    by example and seed, with the ends of its 95 % interval; `gap`, the mean over the threats of its
    size, with an interval that allows for the noise, which makes sizes larger; `correlation` of
    that gap with the strength, by rank, with a bootstrap interval over the test examples and, with
    three seeds or more, over seeds. `wins` (%) is kept beside them: the
    share of training examples for which each threat has the largest loss.

    The paper's claim is that the gap vanishes as PGD grows: the correlation is negative, and the
    differences at the largest strength have intervals with 0 inside. Raises AnalysisError for fewer
    than three common strengths and for a threat that was not evaluated.

    Example:
        >>> from moat.outcomes import Column, Outcomes
        >>> def outcomes(held):
        ...     values = np.ones((20, 2), np.int8)
        ...     values[held:, 1] = 0
        ...     return Outcomes(values, (Column("natural", 0), Column("flow", 5)), np.arange(20))
        >>> max_at = {0.1: {0: outcomes(16)}, 0.2: {0: outcomes(12)}, 0.3: {0: outcomes(8)}}
        >>> pgd_at = dict.fromkeys(max_at, {0: outcomes(8)})
        >>> found = overfitting(max_at, pgd_at)
        >>> found["difference"].tolist(), found["correlation"].item()
        ([[40.0, 20.0, 0.0]], -1.0)

    Source: Sun, Li and Lin, Pareto Adversarial Robustness, 2023, Section 4.2.
    """
    shared = sorted(set(ours) & set(theirs))
    ours, theirs = ({place: side[place] for place in shared} for side in (ours, theirs))
    for side in (ours, theirs):
        require_strengths(side, strength)
    every = [one for side in (ours, theirs) for seeds in side.values() for one in seeds.values()]
    named = require_common_threats(every, threats)
    view = _View(ours, theirs, named, conditional)
    settings: dict[str, Any] = {
        "strength": strength,
        "conditional": conditional,
        "interval_over": interval_scope([*ours.values(), *theirs.values()]),
    }
    arrays = {**view.arrays(), **_win_arrays(wins or {}, shared)}
    among = " among the examples that each model classifies correctly" if conditional else ""
    notes = (f"Differences of robustness scores in points{among}.", *interval_notes(ours))
    found = Analysis("overfitting", arrays, settings=settings, notes=notes)
    return replace(found, findings=tuple(_findings(found)))


@dataclass(frozen=True, eq=False)
class _View:
    """The runs of both variants by ascending strength, and what is asked of them."""

    ours: SweptOutcomes
    theirs: SweptOutcomes
    threats: tuple[str, ...]
    conditional: bool

    def arrays(self) -> dict[str, NamedArray]:
        """Return the differences, their gap and its trend."""
        strengths = [*self.ours]
        differences = [
            [
                difference_with_interval(
                    self.ours[place], self.theirs[place], self._groups(name), self.conditional
                )
                for place in strengths
            ]
            for name in self.threats
        ]
        apart = self._apart()
        return {
            "strength": NamedArray(np.array(strengths, np.float64), ("strength",)),
            "threat": NamedArray(np.array(self.threats), _THREAT),
            **with_ends("difference", differences, ("threat", "strength"), _POINTS),
            **with_ends("gap", _gap_ends(apart), ("strength",), _POINTS),
            **with_ends("correlation", ends_of(_gap(apart).trend(strengths)), ()),
        }

    def _apart(self) -> list[Resampled]:
        """Return the differences, a threat each."""
        return [self._scores(self.ours, n).less(self._scores(self.theirs, n)) for n in self.threats]

    def _scores(self, runs: SweptOutcomes, name: str) -> Resampled:
        groups = self._groups(name)
        return resampled_scores([*runs.values()], lambda _: groups, conditional=self.conditional)

    def _groups(self, name: str) -> list[Searches]:
        first = next(iter(next(iter(self.ours.values())).values()))
        return searches_of(first, name)


def _gap(apart: Sequence[Resampled]) -> Resampled:
    """Return the mean over the threats of the size of the difference."""
    drawn = [np.abs(one.drawn) for one in apart if one.drawn is not None]
    whole = len(drawn) == len(apart)
    return Resampled(
        np.mean([np.abs(one.found) for one in apart], 0), np.mean(drawn, 0) if whole else None
    )


def _gap_ends(apart: Sequence[Resampled]) -> NDArray[np.float64]:
    """Return the mean sizes and the ends of their intervals, (strength, 3); NaN if seeds are few.

    The true mean size is at most the mean size of the errors away, whose quantile the resamples
    give. So the interval covers it at least as often as it says, also where the differences are 0
    and the mean size is noise alone; no end is below 0.
    """
    found = _gap(apart).found
    errors = [np.abs(one.drawn - one.found) for one in apart if one.drawn is not None]
    reach = np.full_like(found, np.nan)
    if len(errors) == len(apart):
        reach = np.percentile(np.mean(errors, 0), 100 * LEVEL, axis=0)
    return np.stack([found, np.maximum(0, found - reach), found + reach], -1)


def _win_arrays(wins: WinShares, strengths: Sequence[float]) -> dict[str, NamedArray]:
    """Return the shares of wins, (winner, strength); nothing without any."""
    names = list(dict.fromkeys(name for shares in wins.values() for name in shares))
    if not names:
        return {}
    values: NDArray[np.float64] = np.array(
        [[wins.get(place, {}).get(name, np.nan) for place in strengths] for name in names]
    )
    return {
        "winner": NamedArray(np.array(names), ("winner",)),
        "wins": NamedArray(values, ("winner", "strength"), "%"),
    }


def _findings(found: Analysis) -> Iterator[AnalysisFinding]:
    """Yield the trend of the gap, and what is left of it at the largest strength."""
    (trend,) = trends_in(found)
    strength = found.settings["strength"]
    text = _DIRECTIONS[trend.direction].format(strength=strength)
    yield trend_finding(f"{text}: rank correlation", trend)
    largest = found.coordinates("strength")[-1]
    for place, name in enumerate(found.coordinates("threat")):
        last = [found[f"difference{end}"][place, -1] for end in ("", "_low", "_high")]
        yield finding_of(f"{name}: {_left(last)} at {strength} {largest:g}", last, "points")


def _left(last: Floats | Sequence[float]) -> str:
    """Return in words whether an interval leaves 0 out."""
    _, low, high = last
    if np.isnan(low):
        return "difference"
    return "a difference is left" if low > 0 or high < 0 else "no difference is shown"


_DIRECTIONS = {
    "rises": "the gap between the variants grows with {strength}",
    "falls": "the gap between the variants shrinks as {strength} grows",
    "open": "whether the gap between the variants shrinks as {strength} grows is open",
}
