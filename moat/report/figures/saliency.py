"""Saliency: a row for each model, and for each image a pair of maps, signed and absolute."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import COLUMN, SMALL, TEXT, Panels, lay_out
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_LONGEST_NAME = 1.2  # inches
_WIDEST = 0.6  # inches of a map
_MOST = 5  # images side by side
_GAP = 0.04
_SHOWN = 99  # percentile of a map's size at which it is black or white


def draw_saliency(analysis: Analysis) -> Figure:
    """Return the figure: the images above, below them the maps of each model, all in grey.

    It has at most five images, the first, and the models, a row each, that fit on a page.
    """
    models = [str(name) for name in analysis.coordinates("model")]
    examples = analysis.coordinates("example")[:_MOST]
    with drawn_in(PAPER):
        shown = [cut_to(name, TEXT, _LONGEST_NAME) for name in models]
        left = max(inches_of(name, TEXT) for name in shown) + 0.06
        columns = 2 * len(examples)
        gaps = _GAP * (columns - 1)
        side = min(_WIDEST, (COLUMN - left - gaps - 0.14) / columns)
        high, wide = analysis["image"].shape[-2:]
        fit, others = on_a_page(models, side * high / wide + _GAP, "models")
        shown = shown[:fit]
        panels = Panels(
            rows=fit + 1,
            columns=columns,
            height=side * high / wide,
            left=left,
            right=COLUMN - 0.12 - left - columns * side - gaps,
            below=0.04,
            between=(_GAP, _GAP),
            width=side,
            title=0.06,
        )
        title = "SmoothGrad of the true class's logit"
        caption = caption_of(analysis) + others
        if len(analysis.coordinates("example")) > _MOST:
            caption += f" The first {_MOST} images are shown."
        figure, every = lay_out(panels, title, (), caption)
        for number, example in enumerate(examples):
            place = 2 * number
            words = f"{example}\nclass {analysis['label'][number]}"
            _draw_image(every[place], analysis["image"][number])
            _write(every[place + 1], words)
            for row, maps in enumerate(analysis["map"][:fit, number], 1):
                pair = every[row * columns + place :][:2]
                _draw_map(pair[0], maps.sum(0), signed=True)
                _draw_map(pair[1], np.abs(maps).sum(0), signed=False)
        for row, name in enumerate(shown, 1):
            every[row * columns].set_ylabel(
                name, fontsize=TEXT, rotation=0, ha="right", va="center", labelpad=3
            )
    return figure


def _write(axes: Any, words: str) -> None:
    axes.axis("off")
    axes.text(0.0, 0.5, words, fontsize=SMALL, va="center", transform=axes.transAxes)


def _draw_image(axes: Any, image: NDArray[Any]) -> None:
    pixels = image[0] if len(image) != 3 else image.transpose(1, 2, 0)
    axes.imshow(pixels, cmap="Greys_r", vmin=0, vmax=1, interpolation="nearest")
    _frame(axes)


def _draw_map(axes: Any, values: NDArray[Any], *, signed: bool) -> None:
    reach = float(np.percentile(np.abs(values), _SHOWN)) or float(np.abs(values).max()) or 1.0
    look: dict[str, Any] = {"cmap": "Greys", "vmin": 0.0}
    if signed:
        look = {"cmap": "Greys_r", "vmin": -reach}
    axes.imshow(values, vmax=reach, interpolation="nearest", **look)
    _frame(axes)


def _frame(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.4)
