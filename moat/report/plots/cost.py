"""The cost of a score: a mark for each setting, the passes to its weights across, the score up."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from moat.errors import PlotError
from moat.report.front.objectives import Objective, usual_objectives
from moat.report.intervals import PERCENT, score_intervals
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.notes import protocol_text
from moat.report.order import TO_HERE, cost
from moat.report.plots.looks import MOST_NAMED, families_of, means_text
from moat.report.settings import Runs, Setting
from moat.report.style import PAPER, drawn_in

WIDE = 8.0
"""From this factor between the cheapest and the dearest on the axis of the cost is logarithmic."""
EQUAL = 1.05
"""Below this factor costs count as equal: marks stand by their score, and the axis has no scale."""
GAP = 0.03
"""The least distance of two marks, as a share of the axis."""
_PASSES = "forwards + backwards for each training image"
_OF_STARTS = "A run that starts from another also counts the passes of that one."


def draw_cost(runs: Runs) -> Figure:
    """Return the figure: the usual robust score against passes, with intervals and single runs.

    The passes of a run are those of its training and of the trainings that led to its start.
    PlotError where no run has recorded its passes, as those of older versions.
    """
    costs = {column: found for column in runs.settings if (found := cost(column, TO_HERE))}
    if not costs:
        raise PlotError(
            "no run has recorded the passes of its training.",
            hint="Runs of older versions have not counted them: train with this one.",
        )
    objective = usual_objectives(runs.settings, runs.group)[0]
    columns = [column for column in costs if column.mean(objective.value) is not None]
    looks = runs.group.looks
    with drawn_in(PAPER):
        panels = Panels(1, 1, 2.1, left=0.42, title=0.1)
        spent = [costs[column] for column in columns]
        caption = _caption(runs, columns, spent, objective)
        handles = _legend(runs, columns)
        figure, (axes,) = lay_out(panels, runs.group.title, handles, caption)
        plain(axes)
        if _are_equal(spent):
            axes.set_xticks([])
            label, places = (
                f"by score, at {_span(spent)} passes for an image",
                _by_score(columns, objective),
            )
        else:
            label, places = _PASSES, _across(axes, spent)
        for column, place in zip(columns, places, strict=True):
            _draw(axes, column, place, objective, looks.of(column.first).line)
        axes.set_xlabel(label, fontsize=TEXT, labelpad=1.5)
        axes.set_ylabel(f"{objective.name} ({objective.unit})", fontsize=TEXT, labelpad=1.5)
    return figure


def _draw(
    axes: Any, column: Setting, place: float, objective: Objective, look: dict[str, Any]
) -> None:
    """Draw a setting's mean with its interval, and faintly each of several runs."""
    mean = column.mean(objective.value)
    colour, marker = look["color"], look.get("marker", "o")
    (interval,) = score_intervals(column.rows, [objective])
    if interval is not None:
        axes.vlines(place, interval.low, interval.high, color=colour, linewidth=0.9, zorder=2)
    if len(column.rows) > 1:
        each = [objective.value(row) for row in column.rows]
        axes.plot([place] * len(each), each, ".", color=colour, markersize=3, alpha=0.6, zorder=1)
    axes.plot([place], [mean], marker=marker, color=colour, markersize=4.5, zorder=3)


def _are_equal(costs: Sequence[float]) -> bool:
    return max(costs) < EQUAL * min(costs)


def _span(costs: Sequence[float]) -> str:
    """Return costs that count as equal in words, to four digits."""
    low, high = (f"{end(costs):.4g}" for end in (min, max))
    return low if low == high else f"{low} to {high}"


def _by_score(columns: Sequence[Setting], objective: Objective) -> list[float]:
    """Return the places of settings of equal cost: evenly, the best score on the right."""
    means = [column.mean(objective.value) or 0.0 for column in columns]
    order = sorted(range(len(means)), key=lambda number: means[number])
    order = order if objective.maximised else order[::-1]
    return [float(order.index(number)) for number in range(len(means))]


def _across(axes: Any, costs: Sequence[float]) -> list[float]:
    """Scale the axis of the cost; return where marks stand, those of one cost side by side."""
    low, high = min(costs), max(costs)
    logarithmic = high > WIDE * low
    ends = np.log([low, high]) if logarithmic else np.array([low, high])
    found = np.log(costs) if logarithmic else np.array(costs)
    shares = (found - ends[0]) / (ends[1] - ends[0])
    shares = apart(shares.tolist(), min(GAP, 1 / len(costs)))
    room = np.array([min(0.0, *shares) - 0.06, max(1.0, *shares) + 0.06])
    limits, places = (ends[0] + part * (ends[1] - ends[0]) for part in (room, np.array(shares)))
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        limits, places = np.exp(limits), np.exp(places)
    axes.set_xlim(*limits.tolist())
    return [float(place) for place in places]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Return places at least a gap apart, in the same order and as near as can be.

    Example:
        >>> apart([0.5, 0.0, 0.5], gap=0.2)
        [0.4, 0.0, 0.6]
    """
    order = sorted(range(len(places)), key=lambda number: places[number])
    blocks: list[list[float]] = []  # isotonic regression of what is left without the gaps
    for rank, number in enumerate(order):
        blocks.append([places[number] - rank * gap])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    found = [0.0] * len(places)
    levels = [fmean(block) for block in blocks for _ in block]
    for rank, (number, level) in enumerate(zip(order, levels, strict=True)):
        found[number] = round(level + rank * gap, 12)
    return found


def _legend(runs: Runs, columns: Sequence[Setting]) -> list[Line2D]:
    """Return a line of the legend for each setting, or for each variant where they are many."""
    looks = runs.group.looks
    named = [(column.name, column) for column in columns]
    if len(columns) > MOST_NAMED:
        named = [(variant, members[-1]) for (_, variant), members in families_of(columns).items()]
    handles = [Line2D([], [], label=name, **looks.of(column.first).line) for name, column in named]
    for handle in handles:
        handle.set(linestyle="", markersize=3.5)
    return handles


def _caption(
    runs: Runs, columns: Sequence[Setting], costs: Sequence[float], objective: Objective
) -> str:
    several = any(len(column.rows) > 1 for column in columns)
    left_out = len(runs.settings) - len(columns)
    better = f"{'higher' if objective.maximised else 'lower'} is better."
    across = (
        f"{objective.name} after trainings of equal cost; {better} Passes: {_PASSES}."
        if _are_equal(costs)
        else f"{objective.name} against the passes of training; further left is cheaper, {better} "
        "Marks of equal cost stand side by side."
    )
    words = [
        across,
        means_text(columns),
        f"Bars: {PERCENT} intervals{'; dots: single runs' if several else ''}.",
        _OF_STARTS if any(cost(one, "passes") != cost(one, TO_HERE) for one in columns) else "",
        f"{left_out} without counted passes or this score." if left_out else "",
        protocol_text(runs.group),
    ]
    return " ".join(filter(None, words))
