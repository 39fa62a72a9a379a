"""Conflict: a row for each subject, cosines over the training and at its end, layer by layer."""

from colorsys import hls_to_rgb
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import COLUMN, TEXT, Panels, lay_out, plain
from moat.report.looks.palette import DASHES, MARKERS
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to

_HEIGHT = 0.82  # inches
_SPREAD = 0.8  # of the place of a layer, for the markers of all pairs
_COLOURS = ("#0077BB", "#CC3311", "#11803F", "#A0459A", "#96552B", "#6E6E6E")


def draw_conflict(analysis: Analysis) -> Figure:
    """Return the figure: a line and a marker for each pair of objectives, with its interval.

    Without a log of the conflict there is a panel of the layers alone. The first subjects are
    drawn, as many as fit on a page.
    """
    names = [str(name) for name in analysis.coordinates("subject")]
    turned = 0.33 if any(_layers(analysis, row)[2] for row in range(len(names))) else 0.0
    fit, others = on_a_page(names, _HEIGHT + 0.42 + turned, "subjects")
    subjects = names[:fit]
    columns = 2 if "logged_cosine" in analysis.arrays else 1
    pairs = [str(name) for name in analysis.coordinates("pair")]
    looks = [_look(place, len(pairs)) for place in range(len(pairs))]
    caption = caption_of(analysis) + others
    with drawn_in(PAPER):
        handles = [
            Line2D([], [], label=name.replace(", ", " and "), **look, markersize=3.2, linewidth=1)
            for name, look in zip(pairs, looks, strict=True)
        ]
        panels = Panels(
            rows=len(subjects),
            columns=columns,
            height=_HEIGHT,
            left=0.36,
            between=(0.3, 0.42 + turned),
            below=0.42 + turned,
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
            if lowest:
                axes[-1].set_xlabel("layer", fontsize=TEXT, labelpad=1.5)
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
    kept, names, turned = _layers(analysis, row)
    apart = _SPREAD / len(looks)
    points = 72 * apart * axes.get_position().width * axes.figure.get_figwidth() / len(kept)
    size = float(np.clip(0.95 * points, 1.2, 2.6))
    for place, look in enumerate(looks):
        at = np.arange(len(kept)) + apart * (place - (len(looks) - 1) / 2)
        values, ends = middle[kept, place], (low[kept, place], high[kept, place])
        if np.isfinite(ends[0]).any():
            axes.vlines(at, *ends, color=look["color"], linewidth=0.8)
        marks = {**look, "linestyle": ""}
        axes.plot(at, values, **marks, markersize=size, markeredgewidth=0)
    axes.axvline(0.5, color=GREY, linewidth=0.5)
    axes.set_xlim(-0.5, len(kept) - 0.5)
    shown = _labelled(len(kept))
    axes.set_xticks(list(shown), [names[place] for place in shown])
    if turned:
        axes.tick_params(axis="x", labelrotation=90)


def _layers(analysis: Analysis, row: int) -> tuple[NDArray[np.intp], list[str], bool]:
    """Return the places and names of a subject's layers, and whether the names are upright."""
    kept = np.flatnonzero(np.isfinite(analysis["cosine"][row]).any(1))
    layers = ["all", *map(str, analysis.coordinates("layer")[1:])]
    names = [_short(layers[place]) for place in kept]
    return kept, names, max(map(len, names), default=0) * len(_labelled(len(kept))) > 26


def _labelled(count: int) -> range:
    return range(0, count, max(1, -(-count // 8)))


def _dress(axes: Any) -> None:
    plain(axes, grid="y")
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks([-1, 0, 1])
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)


def _look(place: int, count: int) -> dict[str, Any]:
    """Return the look of one of so many pairs: no two have a colour in common."""
    around: Any = hls_to_rgb(place / count, (0.26, 0.42)[place % 2], 0.8)
    return {
        "color": _COLOURS[place] if count <= len(_COLOURS) else around,
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
    }


def _short(layer: str) -> str:
    """Return a layer's name, or the end of a long one."""
    return layer if len(layer) <= 10 else "\N{HORIZONTAL ELLIPSIS}" + layer[-9:]
