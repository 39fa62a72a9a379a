"""A run's curves as data for plots, and in words for who cannot see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from moat.report.curves import TrainingCurves
from moat.report.numbers import percent
from moat.report.points import Point
from moat.storage import Record


def curves_data(curves: TrainingCurves) -> Record:
    """Return the curves with four significant digits: no plot shows more."""
    return {
        "steps": list(curves.steps),
        "losses": _rounded(curves.losses),
        "weights": _rounded(curves.weights),
        "clamped": [list(stretch) for stretch in curves.clamped],
        "validated": list(curves.validated),
        "validation": _rounded(curves.validation),
    }


def strengths_data(point: Point) -> list[Record]:
    """Return each threat's accuracies against its strengths.

    A radius counts as a share of the threat's largest: radii of different threats have different
    units.
    """
    found = []
    for name, of_threat in point.accuracy.items():
        threat = point.protocol.threats[name]
        radius = threat.by == "epsilon"
        known = {float(strength): value for strength, value in of_threat.items()}
        largest = max(known) or 1.0
        found.append(
            {
                "name": name,
                "by": "radius" if radius else "steps",
                "x": [at / largest if radius else at for at in known],
                "at": [threat.written(at) for at in known],
                "y": [None if value is None else _short(value) for value in known.values()],
            }
        )
    return found


def curves_text(curves: Mapping[str, Sequence[float | None]], unit: str = "") -> str:
    """Return in words where each curve begins and ends."""
    parts = []
    for name, values in curves.items():
        known = [value for value in values if value is not None]
        if known:
            parts.append(f"{name} from {known[0]:.3g}{unit} to {known[-1]:.3g}{unit}")
    return "; ".join(parts) or "nothing was logged"


def strengths_text(point: Point, by: str) -> str:
    """Return in words the accuracy at every strength, of the threats whose strengths are these."""
    parts = []
    for name, of_threat in point.accuracy.items():
        threat = point.protocol.threats[name]
        if (threat.by == "epsilon") != (by == "radius"):
            continue
        found = ", ".join(f"{percent(v)} at {threat.marked(at)}" for at, v in of_threat.items())
        parts.append(f"{name} {found}")
    return "; ".join(parts)


def _rounded(curves: Mapping[str, Sequence[Any]]) -> dict[str, list[float | None]]:
    return {name: [None if v is None else _short(v) for v in of] for name, of in curves.items()}


def _short(value: float) -> float | None:
    rounded = float(f"{value:.4g}")
    return rounded if abs(rounded) < float("inf") else None  # JSON knows no NaN either
