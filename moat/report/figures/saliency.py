"""Saliency: a pair of rows an image, signed above and absolute below; a column a model."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.layout import COLUMN, TEXT, Panels, lay_out
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to

_WIDEST = 0.62  # inches of a map
_SHOWN = 99  # percentile of a map's size at which it is black or white


def draw_saliency(analysis: Analysis) -> Figure:
    """Return the figure; all maps are in grey, so that nothing is lost in print."""
    models = [str(name) for name in analysis.coordinates("model")]
    examples = analysis.coordinates("example")
    with drawn_in(PAPER):
        columns = len(models) + 1
        gap = 0.05
        side = min(_WIDEST, (COLUMN - 0.14 - gap * columns) / columns)
        high, wide = analysis["image"].shape[-2:]
        panels = Panels(
            rows=2 * len(examples),
            columns=columns,
            height=side * high / wide,
            left=0.0,
            right=COLUMN - 0.12 - columns * side - gap * (columns - 1),
            below=0.04,
            between=(gap, gap),
            width=side,
            title=0.18,
        )
        title = "SmoothGrad of the true class's logit"
        figure, every = lay_out(panels, title, (), caption_of(analysis))
        for number, example in enumerate(examples):
            upper = every[2 * number * columns :][:columns]
            lower = every[(2 * number + 1) * columns :][:columns]
            _draw_image(upper[0], analysis["image"][number])
            lower[0].axis("off")
            words = f"{example}: class {analysis['label'][number]}"
            lower[0].text(0.5, 1.0, cut_to(words, TEXT, side), ha="center", va="top", fontsize=TEXT)
            for place in range(len(models)):
                maps = analysis["map"][place, number]
                _draw_map(upper[place + 1], maps.sum(0), signed=True)
                _draw_map(lower[place + 1], np.abs(maps).sum(0), signed=False)
        for axes, name in zip(every[1:columns], models, strict=True):
            axes.set_title(cut_to(name, TEXT, side + gap), fontsize=TEXT, pad=2)
    return figure


def _draw_image(axes: Any, image: NDArray[Any]) -> None:
    pixels = image[0] if len(image) != 3 else image.transpose(1, 2, 0)
    axes.imshow(pixels, cmap="Greys_r", vmin=0, vmax=1, interpolation="nearest")
    _frame(axes)


def _draw_map(axes: Any, values: NDArray[Any], *, signed: bool) -> None:
    reach = float(np.percentile(np.abs(values), _SHOWN)) or float(np.abs(values).max()) or 1.0
    look = {"cmap": "Greys_r", "vmin": -reach} if signed else {"cmap": "Greys", "vmin": 0.0}
    axes.imshow(values, vmax=reach, interpolation="nearest", **look)
    _frame(axes)


def _frame(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.4)
