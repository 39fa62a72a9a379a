"""The pictures of analyses by kind, each drawn from the analysis alone."""

from collections.abc import Callable, Mapping
from importlib import import_module

from matplotlib.figure import Figure

from moat.errors import PlotError, did_you_mean
from moat.records import Analysis

_Draw = Callable[[Analysis], Figure]
_DRAW: Mapping[str, str] = {
    "examples": "examples.draw_examples",
    "frequency": "frequency.draw_frequency",
    "curvature": "curvature.draw_curvature",
    "landscape": "landscape.draw_landscape",
    "saliency": "saliency.draw_saliency",
    "skewness": "skewness.draw_skewness",
    "conflict": "conflict.draw_conflict",
    "overfitting": "trends.draw_overfitting_analysis",
    "relationship": "trends.draw_relationship_analysis",
    "transfer": "transfer.draw_transfer",
}
"""The file and the function of each kind, in this folder."""


def draw_analysis(analysis: Analysis) -> Figure:
    """Return the picture of an analysis; PlotError for a kind that nobody draws."""
    if analysis.kind not in _DRAW:
        raise PlotError(
            f"no picture shows an analysis of the kind {analysis.kind!r}."
            f"{did_you_mean(analysis.kind, _DRAW)}",
            hint=f"known: {', '.join(_DRAW)}",
        )
    file, _, function = _DRAW[analysis.kind].partition(".")
    draw: _Draw = getattr(import_module(f"moat.report.figures.{file}"), function)
    return draw(analysis)
