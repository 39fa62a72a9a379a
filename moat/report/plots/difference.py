"""Figure 6: by how much one variant's scores lie above another's, as both are trained harder."""

from collections.abc import Sequence
from statistics import fmean

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.errors import PlotError
from moat.report.notes import protocol_text
from moat.report.plots.declared import CONDITIONAL, Difference
from moat.report.plots.layout import TEXT, Panels, lay_out, plain
from moat.report.plots.looks import draw_line
from moat.report.plots.runs import Runs
from moat.report.plots.swept import Swept, scored, swept, unswept
from moat.report.points import Point
from moat.report.settings import Setting
from moat.report.style import GREY, PAPER

Lines = dict[str, list[list[float]]]
"""For each threat, at each place, a difference a seed."""


def draw_difference(runs: Runs, study: str, figure: Difference) -> Figure:
    """Return the figure: a line a threat, the difference of its scores, in points.

    A seed is compared with the same seed; where none is shared, means are. PlotError where the runs
    are missing.
    """
    across, lines = differences_of(runs, study, figure)
    several = max(len(seeds) for values in lines.values() for seeds in values)
    looks = {name: runs.group.looks.of_objective(name) for name in lines}
    with matplotlib.style.context(PAPER):
        handles = [
            Line2D([], [], label=name, **looks[name].line, linewidth=1.1, markersize=3.5)
            for name in lines
        ]
        panels = Panels(1, 1, 1.9, left=0.46, title=0.2)
        caption = _caption(runs, study, figure, several)
        figure_, (axes,) = lay_out(panels, runs.group.title, handles, caption)
        plain(axes)
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
        for name, values in lines.items():
            draw_line(axes, across.places, values, looks[name].line)
        across.dress(axes)
        label = f"{figure.of} \N{MINUS SIGN} {figure.minus} (points)"
        axes.set_ylabel(label, fontsize=TEXT, labelpad=1.5)
    return figure_


def differences_of(runs: Runs, study: str, figure: Difference) -> tuple[Swept, Lines]:
    """Return the places at which both variants stand, and what lies between them there."""
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
            f"{figure.of!r} and {figure.minus!r} share no value of {figure.across!r} yet."
        )
    columns, values, _ = zip(*pairs, strict=True)
    lines: Lines = {}
    for name in scored(runs, figure.threats):
        found = [_between(one, other, name, figure.measure) for one, _, other in pairs]
        if all(found):
            lines[name] = found
    if not lines:
        raise PlotError(
            "no threat has a score.",
            hint="An evaluation with union_only has no score of a single threat.",
        )
    return Swept(columns, values, figure.across), lines


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
    of = "among the examples that each model classifies correctly to begin with"
    words = [
        f"{study}: robustness scores of {figure.of} less those of {figure.minus}, in points"
        + (f", {of}." if figure.measure == CONDITIONAL else "."),
        "Above 0 the former withstands more.",
        f"Means over {several} seeds, each compared with its like; bands: ± one standard deviation."
        if several > 1
        else "",
        protocol_text(runs.group),
    ]
    return " ".join(filter(None, words))
