"""Accuracy against the strength of each threat: iterations or radius, natural accuracy at 0."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from moat.errors import PlotError
from moat.outcomes import NATURAL_COLUMN
from moat.records import ThreatRecord
from moat.report.intervals import seeds_share_interval
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.notes import protocol_text
from moat.report.plots.looks import (
    MOST_NAMED,
    bands_text,
    draw_line,
    families_of,
    legend_lines,
    lines_of,
    spread_over,
)
from moat.report.settings import Runs, Setting
from moat.report.style import PAPER, drawn_in

_MOST_POINTS = 4  # of a sweep, where there are too many lines


def draw_strengths(runs: Runs) -> Figure:
    """Return the figure: a panel for each threat, a line for each variant and point of its sweep.

    Several seeds are a mean and a band. PlotError where no threat was searched at each strength for
    every example.
    """
    threats = {
        name: threat
        for name, threat in runs.group.protocol.threats.items()
        if all(None not in point.accuracy[name].values() for point in runs.group.points)
    }
    if not threats:
        raise PlotError(
            "no threat has an accuracy at its strengths.",
            hint="An evaluation with union_only has no score for a single threat.",
        )
    columns = _chosen(runs.settings)
    looks = lines_of(runs, columns)
    few = f"Sweeps show {_MOST_POINTS} points." if len(columns) < len(runs.settings) else ""
    caption = (
        f"Accuracy in % of all test examples, natural accuracy at 0. {few} {bands_text(columns)} "
        f"{protocol_text(runs.group)}"
    )
    across = min(2, len(threats))
    with drawn_in(PAPER):
        handles = legend_lines(columns, looks)
        rows = -(-len(threats) // across)
        panels = Panels(rows, across, 1.15, left=0.36, between=(0.14, 0.52), title=0.28)
        figure, every = lay_out(panels, runs.group.title, handles, caption)
        for axes in every[len(threats) :]:
            axes.remove()
        for number, (name, table) in enumerate(threats.items()):
            axes = every[number]
            for column, look in zip(columns, looks, strict=True):
                _draw_line(axes, column, name, look, 0.13 if len(columns) <= 4 else 0.06)
            strengths = [float(s) for s in runs.group.points[0].accuracy[name]]
            _dress(axes, name, table, strengths, labelled=number % across == 0)
    return figure


def _chosen(columns: Sequence[Setting]) -> Sequence[Setting]:
    """Return all columns, or, where they are too many to be told apart, a few of each sweep."""
    if len(columns) <= MOST_NAMED:
        return columns
    families = families_of(columns).values()
    return [column for members in families for column in spread_over(members, _MOST_POINTS)]


def _draw_line(
    axes: Any, column: Setting, threat: str, look: Mapping[str, Any], opacity: float
) -> None:
    strengths = [0.0, *(float(strength) for strength in column.first.accuracy[threat])]
    seeds = [[point.natural, *point.accuracy[threat].values()] for point in column.points]
    outcomes = column.first.outcomes
    bands = [
        seeds_share_interval(column.points, [searched])
        for searched in (NATURAL_COLUMN, *outcomes.of(threat))
    ]
    values = list(zip(*seeds, strict=True))
    draw_line(axes, strengths, values, {**look, "markersize": 2.8}, bands, opacity)


def _dress(
    axes: Any, name: str, threat: ThreatRecord, strengths: Sequence[float], *, labelled: bool
) -> None:
    plain(axes)
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.tick_params(labelleft=labelled)
    axes.set_title(name, fontsize=7, fontweight="bold", pad=3)
    axes.set_xlabel(threat.unit, fontsize=TEXT, labelpad=1.5)
    axes.set_ylabel("accuracy (%)" if labelled else "", fontsize=TEXT, labelpad=1.5)
    if threat.has_one_strength:
        axes.set_xticks([0, 1], ["natural", "searched"])
    elif _are_apart([0, *strengths]):
        axes.set_xticks([0, *strengths], [f"{strength:g}" for strength in (0, *strengths)])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=threat.by == "steps"))


def _are_apart(places: Sequence[float]) -> bool:
    """Say whether each place has room for its own number."""
    gaps = [right - left for left, right in pairwise(places)]
    return min(gaps) >= 0.11 * places[-1]
