"""Transfer as matrices: a panel for each threat, sources down, targets across."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import COLUMN, SMALL, TEXT, Panels, lay_out
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_LONGEST_NAME = 0.85  # inches
_DARK = 30  # %; on the grey of a lower accuracy, white has more contrast than black
_FRAME = "A thin frame: a model's own images."


def draw_transfer(analysis: Analysis) -> Figure:
    """Return the figure: in a cell the target's accuracy, and the difference to its own search.

    The darker a cell, the fewer of the target's examples withstand the source's images. A frame
    marks the diagonal, a heavy one images that fell more than the target's own search. The first
    threats are drawn, as many as fit on a page.
    """
    names = [str(name) for name in analysis.coordinates("target")]
    threats = [str(name) for name in analysis.coordinates("threat")]
    with drawn_in(PAPER):
        shown = [cut_to(name, TEXT, _LONGEST_NAME) for name in names]
        left = max(inches_of(name, TEXT) for name in shown) + 0.08
        columns = min(len(threats), 2 if len(names) < 4 else 1)
        inches = (0.19 * len(names) + 0.22) / columns
        fit, others = on_a_page(threats, inches, "threats")
        threats = threats[:fit]
        caption = f"{caption_of(analysis)} {_FRAME}{others}"
        panels = Panels(
            rows=-(-len(threats) // columns),
            columns=columns,
            height=0.19 * len(names),
            left=left,
            right=0.02,
            below=left,
            between=(0.12, 0.22),
        )
        title = "Transfer: source of the images (rows), target (columns)"
        figure, every = lay_out(panels, title, (), caption, None)
        for axes in every[len(threats) :]:
            axes.remove()
        for place, (axes, threat) in enumerate(zip(every, threats, strict=False)):
            _draw_matrix(axes, analysis, place)
            axes.set_title(threat, fontsize=7, pad=3)
            lowest = place + columns >= len(threats)
            axes.set_xticks(
                range(len(names)) if lowest else [], shown if lowest else [], rotation=90
            )
            first = place % columns == 0
            axes.set_yticks(range(len(names)) if first else [], shown if first else [])
            axes.tick_params(labelsize=TEXT, length=0, pad=2)
    return figure


def _draw_matrix(axes: Any, analysis: Analysis, threat: int) -> None:
    accuracy = analysis["accuracy"][:, :, threat]
    apart, high = (analysis[name][:, :, threat] for name in ("difference", "difference_high"))
    size = len(accuracy)
    axes.imshow(accuracy, cmap="Greys_r", vmin=-20, vmax=110, aspect="auto")
    for row, column in np.ndindex(size, size):
        ink = "white" if accuracy[row, column] < _DARK else "black"
        text = f"{accuracy[row, column]:.0f}"
        if row != column:
            text += f" ({_signed(float(apart[row, column]))})"
        wide = COLUMN / size > 0.6
        axes.text(
            column,
            row,
            text if wide or row == column else _signed(float(apart[row, column])),
            ha="center",
            va="center",
            color=ink,
            fontsize=SMALL,
        )
        if row == column or high[row, column] < 0:
            heavy = row != column
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    fill=False,
                    linewidth=1.6 if heavy else 0.7,
                    edgecolor="black",
                    linestyle="-",
                )
            )


def _signed(difference: float) -> str:
    """Return a difference in whole points, with its sign; 0 has none."""
    points = round(difference)
    return f"{points:+d}".replace("-", "\N{MINUS SIGN}") if points else "0"
