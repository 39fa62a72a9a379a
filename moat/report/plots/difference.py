"""Figure 6: one variant's scores minus another's, as both train against stronger threats."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from moat.errors import PlotError
from moat.outcomes import robustness_contributions
from moat.outcomes.intervals import Floats
from moat.records.figures import CONDITIONAL, Difference
from moat.report.intervals import (
    SEEDS,
    Interval,
    bounds_among,
    interval_over_seeds,
    same_examples,
    spoken_of,
)
from moat.report.notes import protocol_text
from moat.report.plots.looks import BANDS
from moat.report.plots.sweeps import Swept, scored, swept, unswept
from moat.report.plots.threat_lines import ThreatChart, ThreatLine, draw_threat_lines
from moat.report.points import Point, in_order
from moat.report.settings import Runs, Setting

Lines = dict[str, list[list[float]]]
"""For each threat, at each place, a difference a seed."""


def draw_difference(runs: Runs, study: str, figure: Difference) -> Figure:
    """Return the figure: a line for each threat, the difference of its scores, in points.

    A seed is compared with the same seed; where none is shared, means are. PlotError where the runs
    are missing.
    """
    across, lines = differences_of(runs, study, figure)
    pairs = _pairs(runs, study, figure)
    bands = [[_band(o, t, name, figure.measure) for o, _, t in pairs] for name in lines]
    several = max(len(seeds) for values in lines.values() for seeds in values)
    looks = {name: runs.group.looks.of_objective(name) for name in lines}
    drawn = [
        ThreatLine(name, name, looks[name].line, values, band)
        for (name, values), band in zip(lines.items(), bands, strict=True)
    ]
    measured = f"{figure.of} \N{MINUS SIGN} {figure.minus} (points)"
    caption = _caption(runs, study, figure, several)
    chart = ThreatChart(runs.group.title, drawn, across, measured, caption, zero=True)
    return draw_threat_lines(chart)


def differences_of(runs: Runs, study: str, figure: Difference) -> tuple[Swept, Lines]:
    """Return the places at which both variants stand, and what lies between them there."""
    pairs = _pairs(runs, study, figure)
    columns, values, _ = zip(*pairs, strict=True)
    lines: Lines = {}
    for name in scored(runs, figure.threats):
        found = [_between(one, other, name, figure.measure) for one, _, other in pairs]
        if all(found):
            lines[name] = found
    if not lines:
        raise PlotError(
            "no threat has a score.",
            hint="An evaluation with union_only has no score for a single threat.",
        )
    return Swept(columns, values, figure.across), lines


def paired_settings(runs: Runs, study: str, figure: Difference) -> tuple[Swept, list[Setting]]:
    """Return the settings of the minuend at each common value, and those of the subtrahend."""
    columns, values, others = zip(*_pairs(runs, study, figure), strict=True)
    return Swept(columns, values, figure.across), list(others)


def _pairs(runs: Runs, study: str, figure: Difference) -> list[tuple[Setting, Any, Setting]]:
    """Return what is compared with what at each value; PlotError where there is nothing."""
    ours = swept(runs, study, figure.of, figure.across)
    alone = unswept(runs, study, figure.minus, figure.across)
    if alone is None:
        others = swept(runs, study, figure.minus, figure.across)
        theirs = dict(zip(map(str, others.values), others.columns, strict=True))
    else:
        theirs = {str(value): alone for value in ours.values}
    pairs = [
        (column, value, theirs[str(value)])
        for column, value in zip(ours.columns, ours.values, strict=True)
        if str(value) in theirs
    ]
    if not pairs:
        raise PlotError(
            f"{figure.of!r} and {figure.minus!r} have no common value of {figure.across!r} yet."
        )
    return pairs


def _band(one: Setting, other: Setting, name: str, measure: str) -> Interval | None:
    """Return the interval of a difference over the seeds that both have; None of too few."""
    ours, theirs = ({point.seed: point for point in each.points} for each in (one, other))
    pairs = [(ours[seed], theirs[seed]) for seed in ours if seed in theirs]
    points = [point for pair in pairs for point in pair]
    if spoken_of(len(pairs)) != SEEDS or not same_examples(points):
        return None
    conditional = measure == CONDITIONAL
    low, high = bounds_among(points, conditional)

    def added(point: Point) -> Floats:
        each = robustness_contributions(point.outcomes, name, conditional=conditional)
        return in_order(point, each)

    apart = [added(our) - added(their) for our, their in pairs]
    return interval_over_seeds(points, apart, (low - high, high - low))


def _between(one: Setting, other: Setting, name: str, measure: str) -> list[float]:
    """Return the differences of a score, one a shared seed, or that of the means; none of none."""
    ours, theirs = (_by_seed(column.points, name, measure) for column in (one, other))
    if len(ours) < len(one.points) or len(theirs) < len(other.points):
        return []
    if shared := [seed for seed in ours if seed in theirs]:
        return [ours[seed] - theirs[seed] for seed in shared]
    return [fmean(ours.values()) - fmean(theirs.values())]


def _by_seed(points: Sequence[Point], name: str, measure: str) -> dict[int, float]:
    """Return a score by the seed, of the runs that have it."""
    scores = {
        point.seed: (point.conditional if measure == CONDITIONAL else point.scores)[name]
        for point in points
    }
    return {seed: score for seed, score in scores.items() if score is not None}


def _caption(runs: Runs, study: str, figure: Difference, several: int) -> str:
    of = "among the examples that each model classifies correctly without a threat"
    words = [
        f"{study}: robustness scores of {figure.of} less those of {figure.minus}, in points"
        + (f", {of}." if figure.measure == CONDITIONAL else "."),
        "Above 0, the former is more robust.",
        f"Means over {several} seeds, paired by seed; {BANDS}." if several > 1 else "",
        protocol_text(runs.group),
    ]
    return " ".join(filter(None, words))
