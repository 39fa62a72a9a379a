"""Power spectra: for each model a panel for each signal, and the shares of rings of frequency."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.names import NATURAL
from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.figures.page import on_a_page
from moat.report.layout import SMALL, TEXT, Panels, lay_out, plain
from moat.report.looks.palette import OBJECTIVES
from moat.report.style import PAPER, drawn_in
from moat.report.text_widths import cut_to

_DECADES = 1.5  # above and below white noise, whose share is equal everywhere
_LEFT, _DOWN = 0.38, 0.2  # inches
_MANY = 3  # models: their panels are lower
_PROFILE = 2  # rows of panels that the profile takes, for each model


def draw_frequency(analysis: Analysis) -> Figure:
    """Return the figure: for each model the spectra, and below them the profile by frequency.

    The first models are drawn, as many as fit on a page.
    """
    signals = [str(one) for one in analysis.coordinates("signal")]
    models = [str(one) for one in analysis.coordinates("model")]
    rows = 1 + _PROFILE
    side = (3.33 - _LEFT - 0.05 * (len(signals) - 1)) / len(signals)
    high = min(side, 0.8 if len(models) < _MANY else 0.5)
    fit, others = on_a_page(models, rows * (high + _DOWN), "models")
    models = models[:fit]
    looks = OBJECTIVES.looks_of([NATURAL, *signals])
    with drawn_in(PAPER):
        panels = Panels(
            rows=rows * len(models),
            columns=len(signals),
            height=high,
            left=_LEFT,
            below=0.34,
            between=(0.05, _DOWN),
        )
        handles = [
            Line2D([], [], label=name, **looks[name].line, markersize=3, linewidth=1.1)
            for name in signals
        ]
        title = "Power spectra of perturbations"
        figure, every = lay_out(panels, title, handles, caption_of(analysis) + others)
        for m, model in enumerate(models):
            first = m * rows * len(signals)
            for s, signal in enumerate(signals):
                _draw_spectrum(every[first + s], analysis, m, s)
                if m == 0:
                    name = cut_to(signal, TEXT, panels.size[0])
                    every[first + s].set_title(name, fontsize=TEXT, pad=2)
            lines = [cut_to(part, SMALL, panels.size[1]) for part in model.split(" ", 1)]
            every[first].set_ylabel("\n".join(lines), fontsize=SMALL, labelpad=2)
            profile = _spanned(figure, every[first + len(signals) : first + rows * len(signals)])
            _draw_profile(profile, analysis, m, looks)
            profile.set_xlabel("cycles per pixel" if m + 1 == len(models) else "", fontsize=TEXT)
    return figure


def _draw_spectrum(axes: Any, analysis: Analysis, model: int, signal: int) -> None:
    share = analysis["share"][model, signal]
    over = np.log10(np.maximum(share * share.size / 100, 10**-_DECADES))
    axes.imshow(over, cmap="gray", vmin=-_DECADES, vmax=_DECADES, aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])


def _spanned(figure: Figure, every: list[Any]) -> Any:
    """Replace some panels by one over all of their place."""
    boxes = [axes.get_position() for axes in every]
    for axes in every:
        axes.remove()
    left, low = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
    right, high = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    return figure.add_axes((left, low, right - left, high - low))


def _draw_profile(axes: Any, analysis: Analysis, model: int, looks: Any) -> None:
    across = analysis["frequency"]
    plain(axes)
    for s, name in enumerate(map(str, analysis.coordinates("signal"))):
        look = looks[name].line
        values, low, high = (
            analysis[f"ring_density{end}"][model, s] for end in ("", "_low", "_high")
        )
        seen = values > 10**-_DECADES  # natural images have no power at 0
        values, low, high = (np.where(seen, one, np.nan) for one in (values, low, high))
        axes.plot(across, values, **look, markersize=2.5, linewidth=1.0)
        axes.fill_between(across, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.set_ylabel("power / white noise", fontsize=TEXT, labelpad=1.5)
    axes.set_xlim(0, across[-1])
    axes.set_yscale("log")
    highest = float(np.nanmax(analysis["ring_density"], initial=0.0))
    axes.set_ylim(10**-_DECADES, max(10**_DECADES, 1.5 * highest))
    axes.set_yticks([0.1, 1, 10], ["0.1", "1", "10"], fontsize=TEXT)
    axes.minorticks_off()
