"""A run's curves: losses, weights and held-out accuracy, and accuracy against strength."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moat.names import NATURAL
from moat.report.curves import TrainingCurves, lone_places
from moat.report.interactive.layout import PlotlyFigure, layout_of, line_of, plotly_text
from moat.report.looks import Looks
from moat.report.points import Point

_FROM_ZERO: dict[str, Any] = {"rangemode": "tozero"}
_PERCENT: dict[str, Any] = {"range": [0, 103]}
_MOST_TICKS = 12
_TINT = "rgba(128,128,128,0.28)"


def run_figure(kind: str, point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    """Return one of the kinds of figures of a run; without a trace where there is nothing."""
    return OF_RUNS[kind](point, curves, looks)


def _losses(point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    layout = layout_of("step", "loss (nats)", **_FROM_ZERO)
    return {"data": _lines(curves.steps, curves.losses, looks), "layout": layout}


def _weights(point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    across: dict[str, Any] = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    tint: dict[str, Any] = {"layer": "below", "line": {"width": 0}, "fillcolor": _TINT}
    shapes = [{**across, "x0": first, "x1": last, **tint} for first, last in curves.clamped]
    layout = layout_of("step", "weight", **_FROM_ZERO) | {"shapes": shapes}
    return {"data": _lines(curves.steps, curves.weights, looks), "layout": layout}


def _validation(point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    layout = layout_of("step", "accuracy (%)", **_PERCENT)
    return {"data": _lines(curves.validated, curves.validation, looks), "layout": layout}


def _steps(point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    data = _strengths(point, looks, by_radius=False)
    layout = layout_of("steps of the search", "accuracy (%)", **_PERCENT)
    ticks = sorted({at for trace in data[1:] for at in trace["x"]})
    if len(ticks) <= _MOST_TICKS:
        layout["xaxis"]["tickvals"] = ticks
    return {"data": data, "layout": layout}


def _radius(point: Point, curves: TrainingCurves, looks: Looks) -> PlotlyFigure:
    layout = layout_of("share of the largest radius", "accuracy (%)", **_PERCENT)
    return {"data": _strengths(point, looks, by_radius=True), "layout": layout}


OF_RUNS: dict[str, Callable[[Point, TrainingCurves, Looks], PlotlyFigure]] = {
    "losses": _losses,
    "weights": _weights,
    "validation": _validation,
    "steps": _steps,
    "radius": _radius,
}
"""The figures of one run: what was logged of its training, and its accuracy by strength."""


def _lines(
    across: Sequence[int], curves: Mapping[str, Sequence[float | None]], looks: Looks
) -> list[dict[str, Any]]:
    """Return a trace a curve, four significant digits of each value: no plot shows more."""
    traces = []
    for name, values in curves.items():
        trace = {
            "x": list(across),
            "y": [_short(value) for value in values],
            "name": plotly_text(name),
            "mode": "lines",
            **line_of(looks.of_objective(name)),
            "hovertemplate": "%{fullData.name} %{y:.3g} at step %{x}<extra></extra>",
        }
        if lone := lone_places(values):
            trace["mode"] = "lines+markers"
            sizes = [trace["marker"]["size"] * (place in lone) for place in range(len(values))]
            trace["marker"] = {**trace["marker"], "size": sizes}
        traces.append(trace)
    return traces


def _strengths(point: Point, looks: Looks, *, by_radius: bool) -> list[dict[str, Any]]:
    """Return a trace a threat of one kind of strength, beneath them the natural accuracy.

    A radius counts as a share of the threat's largest: radii of different threats have different
    units.
    """
    traces = []
    for name, of_threat in strengths_by(point, by_radius=by_radius).items():
        known = {float(strength): value for strength, value in of_threat.items()}
        largest = (max(known) or 1.0) if by_radius else 1.0
        traces.append(
            {
                "x": [at / largest for at in known],
                "y": [_short(value) for value in known.values()],
                "customdata": [point.protocol.threats[name].written(at) for at in known],
                "name": plotly_text(name),
                "mode": "lines+markers",
                **line_of(looks.of_objective(name)),
                "hovertemplate": "%{fullData.name} %{y:.1f} % at %{customdata}<extra></extra>",
            }
        )
    if not traces:
        return []
    ends = [at for trace in traces for at in trace["x"]]
    natural = {
        "x": [min(ends), max(ends)],
        "y": [round(point.natural, 4)] * 2,
        "name": NATURAL,
        "mode": "lines" if min(ends) < max(ends) else "markers",
        **line_of(looks.of_objective(NATURAL)),
        "hovertemplate": "natural %{y:.1f} %<extra></extra>",
    }
    return [natural, *traces]


def strengths_by(point: Point, *, by_radius: bool) -> dict[str, dict[str, float | None]]:
    """Return the accuracies of the threats whose strengths are radii, or of the others."""
    threats = point.protocol.threats
    return {
        name: of_threat
        for name, of_threat in point.accuracy.items()
        if (threats[name].by == "epsilon") == by_radius
    }


def _short(value: float | None) -> float | None:
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return rounded if abs(rounded) < float("inf") else None  # JSON knows no NaN either
