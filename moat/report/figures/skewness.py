"""Skewness of saliency differences along the models: a panel for signed maps, one for absolute."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.names import sweep_groups
from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.style import GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_LONGEST_NAME = 0.8  # inches
_LOOKS: dict[str, dict[str, Any]] = {
    "raw": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "unit": {"color": "#D55E00", "marker": "^", "linestyle": (0, (4, 1.5))},
}


def draw_skewness(analysis: Analysis) -> Figure:
    """Return the figure: medians with their 95 % intervals, a line for the runs of each sweep."""
    names = [str(name) for name in analysis.coordinates("model")]
    kinds = [str(name) for name in analysis.coordinates("maps")]
    scales = [str(name) for name in analysis.coordinates("scale")]
    reference = analysis.settings["reference"]
    with drawn_in(PAPER):
        shown = [cut_to(name, TEXT, _LONGEST_NAME) for name in names]
        panels = Panels(
            rows=1,
            columns=len(kinds),
            height=1.35,
            left=0.43,
            below=max(inches_of(name, TEXT) for name in shown) + 0.1,
            between=(0.36, 0.3),
        )
        handles = [
            Line2D([], [], label=f"{scale} maps", markersize=3.5, **_LOOKS[scale])
            for scale in scales
        ]
        title = f"Skewness of saliency differences, model minus {reference}"
        figure, every = lay_out(panels, title, handles, caption_of(analysis))
        for k, (axes, kind) in enumerate(zip(every, kinds, strict=True)):
            for s, scale in enumerate(scales):
                for group in sweep_groups(names):
                    _draw_line(axes, analysis, (group, k, s), _LOOKS[scale])
            plain(axes, grid="y")
            axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
            axes.set_title(f"{kind} maps", fontsize=7, pad=3)
            axes.set_xticks(range(len(names)), shown, rotation=90)
            axes.set_xlim(-0.4, len(names) - 0.6)
        every[0].set_ylabel("median skewness", fontsize=TEXT, labelpad=1)
    return figure


def _draw_line(
    axes: Any, analysis: Analysis, place: tuple[list[int], int, int], look: dict[str, Any]
) -> None:
    """Draw the line of a group, moved aside so that intervals do not hide each other."""
    group, kind, scale = place
    middle, low, high = (
        analysis[f"median{end}"][group, kind, scale] for end in ("", "_low", "_high")
    )
    across = np.array(group) + (0.06 if scale else -0.06)
    axes.plot(across, middle, markersize=3.5, linewidth=1, **look)
    axes.vlines(across, low, high, color=look["color"], linewidth=1)
