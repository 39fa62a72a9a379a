"""The outcomes of runs along a growing strength, and the intervals of their scores."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from moat.errors import AnalysisError, did_you_mean
from moat.outcomes import (
    NATURAL_SEARCHES,
    Outcomes,
    seeds_interval,
    share_contributions,
    withstood,
)
from moat.outcomes.intervals import FEWEST_SEEDS, Floats
from moat.outcomes.searches import Searches, searches_of
from moat.outcomes.trends import FEWEST_PLACES

SweptOutcomes = Mapping[float, Mapping[int, Outcomes]]
"""The outcomes of the runs at each strength, by seed."""


def require_strengths(runs: SweptOutcomes, where: str) -> None:
    """Raise AnalysisError unless runs of three strengths or more are there, each with outcomes."""
    for strength, seeds in runs.items():
        if not seeds:
            raise AnalysisError(
                f"a run is missing at strength {strength:g}.", where=where, hint=_SEVERAL
            )
    if len(runs) < FEWEST_PLACES:
        there = ", ".join(f"{strength:g}" for strength in sorted(runs)) or "none"
        raise AnalysisError(
            f"a trend needs runs at {FEWEST_PLACES} strengths or more, not {len(runs)}: {there}.",
            where=where,
            hint=_SEVERAL,
        )


def require_common_threats(outcomes: Sequence[Outcomes], threats: Sequence[str]) -> tuple[str, ...]:
    """Return the named threats and ensembles, or all that the runs share.

    Raises AnalysisError for a run that lacks one, and for runs on different test examples.
    """
    for found in outcomes:
        for name in threats:
            if name not in found.names:
                raise AnalysisError(
                    f"a run was not evaluated under {name!r}.{did_you_mean(name, found.names)}",
                    where="threats",
                    hint=f"evaluated: {', '.join(found.names) or 'none'}",
                )
    shared = [n for n in outcomes[0].names if all(n in found.names for found in outcomes)]
    if not shared:
        raise AnalysisError(
            "the runs were evaluated under no common threat.",
            where="threats",
            hint=_ONE_PROTOCOL,
        )
    ids = np.sort(outcomes[0].ids)
    if not all(np.array_equal(np.sort(found.ids), ids) for found in outcomes):
        raise AnalysisError(
            "the runs were evaluated on different test examples, so they cannot be compared.",
            where="runs",
            hint=_ONE_PROTOCOL,
        )
    return tuple(threats) or tuple(shared)


def interval_scope(runs: Collection[Mapping[int, Outcomes]]) -> str:
    """Return the scope of the intervals: "examples", "examples and seeds", or "" without any."""
    counts = {len(seeds) for seeds in runs}
    if counts == {1}:
        return "examples"
    return "examples and seeds" if min(counts) >= FEWEST_SEEDS else ""


def interval_notes(runs: SweptOutcomes) -> tuple[str, ...]:
    """Return a sentence about the seeds and the intervals."""
    scope, count = interval_scope(runs.values()), max(map(len, runs.values()))
    if scope == "examples":
        return ("95 % intervals over test examples: one seed does not show how far seeds differ.",)
    if scope:
        return (f"Means over {count} seeds; 95 % intervals over test examples and seeds.",)
    return ("Means over seeds, too few for an interval.",)


def mean_with_interval(
    seeds: Mapping[int, Outcomes], groups: Sequence[Searches], conditional: bool
) -> tuple[float, float, float]:
    """Return the mean score of some seeds and the ends of its 95 % interval, in percent.

    The score is the mean over the groups of the share that withstood a group. The ends are NaN for
    two seeds, all three if no example is in the base of a conditional share.
    """
    added = np.stack([added_in_order(one, groups, conditional) for one in seeds.values()])
    mean = float(added.mean())
    if np.isnan(mean):
        return mean, mean, mean
    low, high = seeds_interval(added, bounds_of_runs(seeds.values(), conditional))
    return mean, max(float(low), 0.0), min(float(high), 100.0)


def difference_with_interval(
    ours: Mapping[int, Outcomes],
    theirs: Mapping[int, Outcomes],
    groups: Sequence[Searches],
    conditional: bool,
) -> tuple[float, float, float]:
    """Return the difference of two mean scores and its interval, paired by example and seed.

    Without a common seed the means are compared, without an interval.
    """
    shared = [seed for seed in ours if seed in theirs]
    if not shared:
        one, other = (mean_with_interval(side, groups, conditional)[0] for side in (ours, theirs))
        return one - other, np.nan, np.nan
    apart = np.stack(
        [
            added_in_order(ours[seed], groups, conditional)
            - added_in_order(theirs[seed], groups, conditional)
            for seed in shared
        ]
    )
    every = [side[seed] for side in (ours, theirs) for seed in shared]
    low, high = bounds_of_runs(every, conditional)
    ends = seeds_interval(apart, (low - high, high - low))
    mean = float(apart.mean())
    return mean, max(float(ends[0]), -100.0), min(float(ends[1]), 100.0)


def added_in_order(outcomes: Outcomes, groups: Sequence[Searches], conditional: bool) -> Floats:
    """Return what each example adds to the mean share over the groups, in the order of the ids."""
    order = np.argsort(outcomes.ids, kind="stable")
    each = [share_contributions(outcomes, group, conditional=conditional) for group in groups]
    return np.asarray(np.mean(each, axis=0)[order])


def bounds_of_runs(runs: Any, conditional: bool) -> tuple[float, float]:
    """Return the smallest and largest contribution of an example to a share of some runs."""
    if not conditional:
        return 0.0, 100.0
    right = min(float(withstood(one, NATURAL_SEARCHES).mean()) for one in runs)
    return (100 - 100 / right, 100 / right) if right else (0.0, 100.0)


def strengths_of(outcomes: Outcomes, name: str) -> dict[str, Searches]:
    """Return the searches at each strength of a threat, or the one group of an ensemble."""
    groups = searches_of(outcomes, name)
    return {"" if name in outcomes.ensembles else group[0].written: group for group in groups}


_ONE_PROTOCOL = "Evaluate them under one protocol: moat evaluate RUN --protocol FILE"
_SEVERAL = "Name the folder of a study whose variant sweeps a strength, such as \
recipes/digits_figures.toml."
