"""Landscapes: for each model and threat a surface and its contours, a column for each view."""

from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import COLUMN, SMALL, TEXT, Panels, lay_out
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to

_COLOURS = "cividis"  # its lightness rises evenly, so that it prints in grey
_LEVELS = 8
_HEIGHT, _DOWN = 0.9, 0.14  # inches
_SCALES = "Each panel has its own scale of colour and height; its ends stand above the contours."
_VIEWS = {"far": "start, far", "near": "start, near", "end": "end"}


def draw_landscape(analysis: Analysis) -> Figure:
    """Return the figure: pairs of rows, above the surfaces and below their contours, on one page.

    Every panel has its own scale of the loss, whose ends stand above the contours: the views differ
    by orders of magnitude.
    """
    views = [str(view) for view in analysis.coordinates("view")]
    every_pair = list(product(*map(analysis.coordinates, ("model", "threat"))))
    names = [f"{model}, {threat}" for model, threat in every_pair]
    fit, others = on_a_page(names, 2 * (_HEIGHT + _DOWN), "pairs of model and threat")
    pairs = every_pair[:fit]
    caption = f"{caption_of(analysis)} {_SCALES}{others}"
    with drawn_in(PAPER):
        width = (COLUMN - 0.84) / 3
        panels = Panels(
            rows=2 * len(pairs),
            columns=len(views),
            height=_HEIGHT,
            left=0.42,
            right=0.02 + (3 - len(views)) * (width + 0.14),
            below=0.28,
            between=(0.14, _DOWN),
            width=width,
            title=0.24,
        )
        figure, every = lay_out(panels, "Loss over two directions of w", (), caption)
        axis = np.array(analysis.coordinates("a"))
        for pair, (model, threat) in enumerate(pairs):
            place = np.unravel_index(pair, analysis["mean"].shape[:2])
            for column, view in enumerate(views):
                loss = analysis["mean"][place][column]
                upper = every[2 * pair * len(views) + column]
                lower = every[(2 * pair + 1) * len(views) + column]
                above = _draw_surface(figure, upper, axis, loss)
                _draw_contours(lower, axis, loss)
                if pair == 0:
                    above.set_title(_VIEWS[view], fontsize=TEXT, pad=0, y=1.08)
                if pair == len(pairs) - 1:
                    lower.set_xticks([axis[0], 0, axis[-1]])
                    lower.set_xlabel("b", fontsize=SMALL, labelpad=0)
                if column == 0:
                    lower.set_yticks([axis[0], 0, axis[-1]])
                    lower.set_ylabel("a", fontsize=SMALL, labelpad=0)
                    _name_rows(figure, lower, f"{model}, {threat}")
    return figure


def _name_rows(figure: Figure, lower: Any, words: str) -> None:
    """Write on the left, along both rows, what they show."""
    wide, high = figure.get_size_inches()
    box = lower.get_position()
    figure.text(
        0.04 / wide,
        box.y1 + 0.07 / high,
        cut_to(words, 7, 2 * _HEIGHT),
        rotation=90,
        va="center",
        fontsize=7,
    )


def _draw_surface(figure: Figure, old: Any, axis: NDArray[Any], loss: NDArray[Any]) -> Any:
    """Draw a surface in place of a flat panel."""
    from mpl_toolkits.mplot3d import Axes3D

    box = old.get_position()
    old.remove()
    axes: Any = figure.add_axes(box.bounds, axes_class=Axes3D, computed_zorder=False)
    a, b = np.meshgrid(axis, axis, indexing="ij")
    axes.plot_surface(
        a,
        b,
        loss,
        cmap=_COLOURS,
        rcount=len(axis),
        ccount=len(axis),
        linewidth=0,
        shade=False,
        antialiased=False,
    )
    axes.view_init(elev=28, azim=-60)
    axes.set_box_aspect((1, 1, 0.72), zoom=1.28)
    axes.set_axis_off()  # the contours below have the scales
    return axes


def _draw_contours(axes: Any, axis: NDArray[Any], loss: NDArray[Any]) -> None:
    low, high = float(loss.min()), float(loss.max())
    axes.set_title(f"{low:.3g} to {high:.3g} nats", fontsize=SMALL, pad=1.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.tick_params(labelsize=SMALL, width=0.4, length=1.5, pad=1)
    if high > low:
        axes.contourf(axis, axis, loss, levels=3 * _LEVELS, cmap=_COLOURS)
        axes.contour(axis, axis, loss, levels=_LEVELS, colors="black", linewidths=0.3)
    axes.plot([0], [0], marker="+", color="white", markersize=5, markeredgewidth=1.6)
    axes.plot([0], [0], marker="+", color="black", markersize=5, markeredgewidth=0.7)
