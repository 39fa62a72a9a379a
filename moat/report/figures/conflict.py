"""Conflict: a row for each subject, cosines over the training and at its end, layer by layer."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import not_drawn
from moat.report.layout import COLUMN, TEXT, Panels, lay_out, plain
from moat.report.looks.palette import DASHES, MARKERS
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to

MOST_SUBJECTS = 8
_COLOURS = ("#0077BB", "#CC3311", "#11803F", "#A0459A", "#96552B", "#6E6E6E")


def draw_conflict(analysis: Analysis) -> Figure:
    """Return the figure: a line and a marker for each pair of objectives, with its interval.

    Without a log of the conflict there is a panel of the layers alone. Of more than eight subjects
    the first eight are drawn.
    """
    names = [str(name) for name in analysis.coordinates("subject")]
    subjects = names[:MOST_SUBJECTS]
    columns = 2 if "logged_cosine" in analysis.arrays else 1
    pairs = [str(name) for name in analysis.coordinates("pair")]
    looks = [_look(place) for place in range(len(pairs))]
    caption = caption_of(analysis) + not_drawn(names, len(subjects), "subjects")
    with drawn_in(PAPER):
        handles = [
            Line2D([], [], label=name.replace(", ", " and "), **look, markersize=3.2, linewidth=1)
            for name, look in zip(pairs, looks, strict=True)
        ]
        panels = Panels(
            rows=len(subjects),
            columns=columns,
            height=0.85,
            left=0.36,
            between=(0.3, 0.42),
            below=0.5,
            title=0.36,
        )
        title = "Cosine between the gradients of objectives"
        figure, every = lay_out(panels, title, handles, caption)
        for row, name in enumerate(subjects):
            axes = every[row * columns : (row + 1) * columns]
            lowest = row == len(subjects) - 1
            if columns == 2:
                _draw_training(axes[0], analysis, row, looks, named=lowest)
            _draw_layers(axes[-1], analysis, row, looks)
            axes[0].set_title(cut_to(name, 7, COLUMN - 0.5), fontsize=7, loc="left", pad=3)
    return figure


def _draw_training(
    axes: Any, analysis: Analysis, row: int, looks: list[dict[str, Any]], *, named: bool
) -> None:
    """Draw the cosines of the whole network over the training."""
    _dress(axes)
    steps, cosines = analysis["step"], analysis["logged_cosine"][row, :, 0]
    for place, look in enumerate(looks):
        known = np.isfinite(cosines[:, place])
        if known.any():
            every = max(1, int(known.sum()) // 6)
            axes.plot(
                steps[known],
                cosines[known, place],
                **look,
                linewidth=0.9,
                markersize=2.6,
                markevery=(place % every, every),
            )
    if not np.isfinite(cosines).any():
        axes.text(0.5, 0.6, "not logged", transform=axes.transAxes, ha="center", color=GREY)
        axes.set_xlim(0, steps[-1])
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if named:
        axes.set_xlabel("step of the training", fontsize=TEXT, labelpad=1.5)


def _draw_layers(axes: Any, analysis: Analysis, row: int, looks: list[dict[str, Any]]) -> None:
    """Draw the cosines at the end: of the whole network, then of each layer that it has."""
    _dress(axes)
    middle, low, high = (analysis[f"cosine{end}"][row] for end in ("", "_low", "_high"))
    kept = np.flatnonzero(np.isfinite(middle).any(1))
    layers = ["all", *map(str, analysis.coordinates("layer")[1:])]
    names = [_short(layers[place]) for place in kept]
    for place, look in enumerate(looks):
        at = np.arange(len(kept)) + 0.1 * (place - (len(looks) - 1) / 2)
        values, ends = middle[kept, place], (low[kept, place], high[kept, place])
        if np.isfinite(ends[0]).any():
            axes.vlines(at, *ends, color=look["color"], linewidth=0.8)
        marks = {**look, "linestyle": ""}
        axes.plot(at, values, **marks, markersize=2.6)
    axes.axvline(0.5, color=GREY, linewidth=0.5)
    axes.set_xlim(-0.5, len(kept) - 0.5)
    shown = range(0, len(kept), max(1, -(-len(kept) // 8)))
    axes.set_xticks(list(shown), [names[place] for place in shown])
    if max(map(len, names)) * len(list(shown)) > 26:
        axes.tick_params(axis="x", labelrotation=90)


def _dress(axes: Any) -> None:
    plain(axes, grid="y")
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks([-1, 0, 1])
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)


def _look(place: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[place % len(_COLOURS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
    }


def _short(layer: str) -> str:
    """Return a layer's name, or the end of a long one."""
    return layer if len(layer) <= 10 else "\N{HORIZONTAL ELLIPSIS}" + layer[-9:]
