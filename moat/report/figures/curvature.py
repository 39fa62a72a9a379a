"""Curvature: extreme eigenvalues, the share of negative ones, convexity; a line for each threat."""

from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.looks import Look
from moat.report.looks.palette import OBJECTIVES
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_LONGEST_NAME = 1.15  # inches
_TITLES = {
    "extremes": "extremes (nats / w²)",
    "negative": "negative (%)",
    "convexity": "convexity",
}


def draw_curvature(analysis: Analysis) -> Figure:
    """Return the figure: a row for each model, at start and end; medians with their intervals.

    The first models are drawn, as many as fit on a page. The first panel has the lowest and the
    highest eigenvalue of each threat, on a scale that is linear around 0 and logarithmic beyond.
    """
    threats = [str(name) for name in analysis.coordinates("threat")]
    looks = OBJECTIVES.looks_of(threats)
    rows = list(product(*map(analysis.coordinates, ("model", "place"))))
    models = [str(name) for name in analysis.coordinates("model")]
    step = 0.085 * len(threats) + 0.09
    places = len(analysis.coordinates("place"))
    fit, others = on_a_page(models, step * places, "models")
    rows = rows[: fit * places]
    names = [cut_to(f"{model}, {place}", TEXT, _LONGEST_NAME) for model, place in rows]
    with drawn_in(PAPER):
        left = max(inches_of(name, TEXT) for name in names) + 0.08
        panels = Panels(
            rows=1,
            columns=3,
            height=step * len(rows),
            left=left,
            right=0.05,
            below=0.22,
            between=(0.22, 0.2),
        )
        handles = [_handle(name, looks[name]) for name in threats]
        title = "Hessian of the loss in w"
        figure, every = lay_out(panels, title, handles, caption_of(analysis) + others)
        for axes, (kind, words) in zip(every, _TITLES.items(), strict=True):
            quantities = ("lowest", "highest") if kind == "extremes" else (kind,)
            for quantity in quantities:
                _draw_points(axes, analysis, quantity, [looks[name] for name in threats])
            plain(axes, grid="x")
            axes.set_title(words, fontsize=TEXT, pad=3)
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_yticks(range(len(rows)), names if axes is every[0] else [])
            axes.tick_params(axis="y", length=0)
            for line in range(1, fit):
                axes.axhline(2 * line - 0.5, color=GREY, linewidth=0.4)
        _scale_eigenvalues(every[0], analysis)
        every[1].set_xlim(-4, 104)
        every[1].set_xticks([0, 50, 100])
        every[2].set_xlim(-1.08, 1.08)
        every[2].axvline(0, color=GREY, linewidth=0.5, zorder=0)
    return figure


def _handle(name: str, look: Look) -> Line2D:
    return Line2D(
        [], [], label=name, color=look.colour, marker=look.marker, linestyle="", markersize=3.5
    )


def _draw_points(axes: Any, analysis: Analysis, quantity: str, looks: list[Look]) -> None:
    ends = [analysis[f"median_{quantity}{end}"] for end in ("", "_low", "_high")]
    models, threats, places = ends[0].shape
    for model, threat, place in np.ndindex(models, threats, places):
        middle, low, high = (float(end[model, threat, place]) for end in ends)
        if not np.isfinite(middle):
            continue
        height = model * places + place + 0.7 * ((threat + 0.5) / threats - 0.5)
        look = looks[threat]
        axes.plot([low, high], [height, height], color=look.colour, linewidth=0.9)
        axes.plot([middle], [height], color=look.colour, marker=look.marker, markersize=3.2)


def _scale_eigenvalues(axes: Any, analysis: Analysis) -> None:
    sizes = np.abs([analysis["median_lowest"], analysis["median_highest"]])
    largest = float(sizes.max())
    if not largest > 0:
        return
    small = float(np.median(sizes[sizes > 0]))
    floor = 10.0 ** np.floor(np.log10(max(small / 10, largest * 1e-4)))
    axes.set_xscale("symlog", linthresh=floor)
    reach = 10.0 ** np.ceil(np.log10(largest))
    axes.set_xticks([-reach, 0, reach], [f"-{reach:g}", "0", f"{reach:g}"])
    axes.set_xlim(-2 * reach, 2 * reach)
    axes.minorticks_off()
    axes.axvline(0, color=GREY, linewidth=0.5, zorder=0)
