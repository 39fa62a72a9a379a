"""Relationship (Figure 3): accuracy under some threats against the strength of a training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moat.analysis.swept_outcomes import (
    SweptOutcomes,
    difference_with_interval,
    interval_notes,
    interval_scope,
    mean_with_interval,
    require_common_threats,
    require_strengths,
    strengths_of,
)
from moat.analysis.trend_arrays import ends_of, trend_finding, trends_in, with_ends
from moat.errors import AnalysisError
from moat.outcomes import NATURAL_SEARCHES, accuracy, resampled_scores, searches_of
from moat.outcomes.columns import EPSILON, NATURAL_COLUMN
from moat.outcomes.searches import Searches
from moat.outcomes.trends import Trend
from moat.public import public_at_once
from moat.records import Analysis, AnalysisFinding, NamedArray

_LINE, _THREAT = ("search", "strength"), ("threat",)
_POINTS = "percentage points"


@public_at_once
def relationship(
    runs: SweptOutcomes,
    *,
    threats: Sequence[str] = (),
    conditional: bool = True,
    strength: str = "strength",
) -> Analysis:
    """Return how robust runs are to some threats as the strength of their training grows.

    `runs` has the outcomes of the runs at each strength, by seed; `strength` is its name. Arrays:
    `accuracy` (%) with axes search and strength, a search being a threat at one of its evaluated
    strengths; `score` (%) with axes threat and strength, the mean over these; each with the ends of
    its 95 % interval. `correlation` is Spearman's rank correlation of a threat's score with the
    strength, with a bootstrap interval over the test examples and, with three seeds or more, over
    seeds: resamples are the same for all runs. `change` (percentage points) is the score at the
    largest strength minus that at the smallest, paired by example.

    `conditional`: among the examples that the model classifies correctly without a search, as in
    the paper. Raises AnalysisError for fewer than three strengths and for a threat that was not
    evaluated, InputError for runs on different test examples.

    Example:
        >>> from moat.outcomes import Column, Outcomes
        >>> def outcomes(held):
        ...     values = np.ones((20, 2), np.int8)
        ...     values[held:, 1] = 0
        ...     return Outcomes(values, (Column("natural", 0), Column("flow", 5)), np.arange(20))
        >>> runs = {steps: {0: outcomes(held)} for steps, held in ((0, 4), (5, 9), (10, 16))}
        >>> found = relationship(runs)
        >>> found["correlation"].tolist(), found["change"].tolist()
        ([1.0], [60.0])

    Source: Sun, Li and Lin, Pareto Adversarial Robustness, 2023, Section 3.1; Spearman, The Proof
    and Measurement of Association between Two Things, 1904.
    """
    require_strengths(runs, strength)
    places = dict(sorted(runs.items()))
    every = [outcomes for seeds in places.values() for outcomes in seeds.values()]
    named = require_common_threats(every, threats)
    base = [[accuracy(one, NATURAL_COLUMN) for one in seeds.values()] for seeds in places.values()]
    if conditional and min(map(min, base)) == 0:
        raise AnalysisError(
            "a run classifies no test example correctly, so it has no accuracy among these.",
            where="runs",
            hint='Take the accuracy among all examples: measure = "accuracy".',
        )
    found = _View(places, named, conditional, strength).analysis()
    return replace(found, findings=tuple(_findings(found, strength)))


def _findings(found: Analysis, strength: str) -> Iterator[AnalysisFinding]:
    """Yield a finding for each threat: the direction of the robustness to it."""
    for name, trend in zip(found.coordinates("threat"), trends_in(found), strict=True):
        text = _DIRECTIONS[trend.direction].format(name=name, strength=strength)
        yield trend_finding(f"{text}: rank correlation", trend)


@dataclass(frozen=True, eq=False)
class _View:
    """The runs by ascending strength, and what is asked of them."""

    runs: SweptOutcomes
    threats: tuple[str, ...]
    conditional: bool
    strength: str

    def analysis(self) -> Analysis:
        """Return the arrays."""
        searches = self._searches()
        lines = [[self._mean(seeds, [group]) for seeds in self.runs.values()] for group in searches]
        scores = [
            [self._mean(seeds, self._groups(name)) for seeds in self.runs.values()]
            for name in self.threats
        ]
        natural = [
            mean_with_interval(seeds, [NATURAL_SEARCHES], False) for seeds in self.runs.values()
        ]
        trends = [ends_of(self._trend(name)) for name in self.threats]
        arrays = {
            "strength": NamedArray(np.array([*self.runs], np.float64), ("strength",)),
            "search": NamedArray(np.array([name for name, _ in self._names()]), ("search",)),
            "search_threat": _text([threat for _, threat in self._names()], "search"),
            "threat": NamedArray(np.array(self.threats), _THREAT),
            **with_ends("accuracy", lines, _LINE, "%"),
            **with_ends("score", scores, ("threat", "strength"), "%"),
            **with_ends("natural", natural, ("strength",), "%"),
            **with_ends("correlation", trends, _THREAT, ""),
            **with_ends("change", [self._change(name) for name in self.threats], _THREAT, _POINTS),
        }
        settings: dict[str, Any] = {
            "strength": self.strength,
            "conditional": self.conditional,
            "interval_over": interval_scope(self.runs.values()),
            "seeds": sorted({seed for seeds in self.runs.values() for seed in seeds}),
        }
        return Analysis("relationship", arrays, settings=settings, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        among = "the test examples that a model classifies correctly" if self.conditional else ""
        return (f"Accuracy in % of {among or 'all test examples'}.", *interval_notes(self.runs))

    def _names(self) -> list[tuple[str, str]]:
        first = next(iter(next(iter(self.runs.values())).values()))
        return [
            (search_name(name, group) if written else name, name)
            for name in self.threats
            for written, group in strengths_of(first, name).items()
        ]

    def _searches(self) -> list[Searches]:
        first = next(iter(next(iter(self.runs.values())).values()))
        return [group for name in self.threats for group in strengths_of(first, name).values()]

    def _groups(self, name: str) -> list[Searches]:
        first = next(iter(next(iter(self.runs.values())).values()))
        return searches_of(first, name)

    def _mean(self, seeds: Mapping[int, Any], groups: Sequence[Searches]) -> tuple[float, ...]:
        return mean_with_interval(seeds, groups, self.conditional)

    def _trend(self, name: str) -> Trend:
        groups = self._groups(name)
        places = [*self.runs.values()]
        scores = resampled_scores(places, lambda _: groups, conditional=self.conditional)
        return scores.trend([*self.runs])

    def _change(self, name: str) -> tuple[float, ...]:
        first, *_, last = self.runs.values()
        return difference_with_interval(last, first, self._groups(name), self.conditional)


def search_name(threat: str, searches: Searches) -> str:
    """Return the name of a threat at one strength: "flow, 5 iterations", "pgd, ε 0.1"."""
    (column,) = searches
    if column.by == EPSILON:
        return f"{threat}, \N{GREEK SMALL LETTER EPSILON} {column.written}"
    return f"{threat}, {column.written} iteration{'' if column.strength == 1 else 's'}"


def _text(values: Sequence[str], axis: str) -> NamedArray:
    return NamedArray(np.array(values), (axis,), in_table=False)


_DIRECTIONS = {
    "rises": "the robustness to {name} rises with {strength}",
    "falls": "the robustness to {name} falls as {strength} grows",
    "open": "whether the robustness to {name} rises or falls with {strength} is open",
}
