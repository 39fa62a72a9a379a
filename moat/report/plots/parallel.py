"""Parallel coordinates: a line for each variant and point of its sweep, an axis for each score."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moat.fronts import non_dominated
from moat.report.front.objectives import minimised, usual_objectives
from moat.report.layout import COLUMN, TEXT, Panels, lay_out
from moat.report.notes import protocol_text
from moat.report.plots.looks import MOST_NAMED, legend_lines, lines_of, means_text
from moat.report.scores.scoreboard import board_values
from moat.report.settings import Runs
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_LONGEST = 0.95  # inches of a turned name


def draw_parallel(runs: Runs) -> Figure:
    """Return the figure: natural accuracy, every score and the union, each on a scale of its own.

    Members of the usual front, by the means over the seeds, are bold, the others faded.
    """
    table = scores_table(runs)
    names, values = list(table), np.array(list(table.values())).T
    members, front = members_of(runs)
    looks = lines_of(runs, runs.settings)
    caption = (
        f"Bold: on the front of {front}; faded: dominated. Each axis has its own scale, in %; "
        f"higher is better. {means_text(runs.settings)} {protocol_text(runs.group)}"
    )
    with drawn_in(PAPER):
        handles = legend_lines(runs.settings, looks)
        tilt = _tilt(names)
        shown = [cut_to(name, TEXT, _LONGEST) for name in names] if tilt else names
        below = 0.3 + 0.85 * max(inches_of(name, TEXT) for name in shown) if tilt else 0.4
        panels = Panels(1, 1, height=2.1, left=0.3 if tilt else 0.2, below=below, title=0.26)
        figure, (axes,) = lay_out(panels, runs.group.title, handles, caption)
        many = len(values) > MOST_NAMED
        limits = [_limits(column) for column in values.T]
        for place, (row, look, on) in enumerate(zip(values, looks, members, strict=True)):
            heights = [(v - low) / (high - low) for v, (low, high) in zip(row, limits, strict=True)]
            axes.plot(heights, **look, **_weight(look, bool(on), many), gid=f"line-{place}")
        _draw_scales(axes, shown, limits, tilt)
    return figure


def scores_table(runs: Runs) -> dict[str, list[float]]:
    """Return natural accuracy, the scores and the union by name, each a mean a setting.

    Scores that a run lacks, as after an evaluation with union_only, are left out.
    """
    tables = [[board_values(row) for row in column.rows] for column in runs.settings]
    names = [name for name in tables[0][0] if name not in ("universal", "total")]
    names = names[: names.index("union") + 1]
    found: dict[str, list[float]] = {}
    for name in names:
        each = [[seed[name] for seed in seeds] for seeds in tables]
        if all(value is not None for seeds in each for value in seeds):
            found[name] = [float(np.mean(np.array(seeds, dtype=float))) for seeds in each]
    return found


def members_of(runs: Runs) -> tuple[NDArray[np.bool_], str]:
    """Return which settings are on the usual front, and what that front is of."""
    objectives = usual_objectives(runs.settings, runs.group)
    text = " and ".join(objective.name for objective in objectives)
    return non_dominated(minimised(runs.settings, objectives)), text


def _weight(look: dict[str, Any], on: bool, many: bool) -> dict[str, Any]:
    if on:
        return {"linewidth": 1.7, "markersize": 4, "zorder": 3, "clip_on": False}
    return {
        **{
            "linewidth": 0.4 if many else 0.8,
            "markersize": 0 if many else 3,
            "markerfacecolor": "white",
            "alpha": 0.7,
        },
        **{"markeredgecolor": look["color"], "zorder": 2, "clip_on": False},
    }


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return round ends of an axis that holds these values, at least a point apart."""
    spread = max(float(np.ptp(values)), 1.0)
    step = 10.0 ** math.floor(math.log10(spread / 2))
    step *= max(factor for factor in (1, 2, 5) if factor * step <= spread / 2)
    low, high = (float(edge) for edge in (values.min(), values.max()))
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return (low, high) if high > low else (low - step, high + step)


def _tilt(names: Sequence[str]) -> float:
    """Return by how many degrees the names are turned, lest one runs into the next."""
    gap = (COLUMN - 0.3) / (len(names) - 0.3)
    return 45.0 if max(1.15 * inches_of(name, TEXT) for name in names) > gap else 0.0


def _draw_scales(
    axes: Any, names: Sequence[str], limits: Sequence[tuple[float, float]], tilt: float
) -> None:
    """Draw a vertical axis for each score, its ends below and above it, and its name."""
    for place, (low, high) in enumerate(limits):
        axes.axvline(place, color=GREY, linewidth=0.6, zorder=1)
        for height, end, side in ((-0.03, low, "top"), (1.03, high, "bottom")):
            axes.text(place, height, f"{end:g}", fontsize=TEXT, ha="center", va=side, color=GREY)
    axes.set_xlim(-0.35, len(names) - 0.65)
    axes.set_ylim(0, 1)
    axes.set_xticks(range(len(names)), names, fontsize=TEXT, fontweight="bold", rotation=tilt)
    for label in axes.get_xticklabels() if tilt else ():
        label.set(ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", length=0, pad=11)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
