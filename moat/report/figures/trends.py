"""Relationship and overfitting: lines of threats across a strength, drawn as `moat plot` does."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from moat.records import Analysis
from moat.report.figures.caption import caption_of
from moat.report.intervals import Interval
from moat.report.looks.palette import OBJECTIVES, Look
from moat.report.plots.sweeps import Swept
from moat.report.plots.threat_lines import (
    ThreatChart,
    ThreatLine,
    draw_threat_lines,
    strength_looks,
)

_MOST_BANDS = 3


def draw_relationship_analysis(analysis: Analysis) -> Figure:
    """Return a figure with a line for each threat at each strength of its search, light to dark."""
    threats = [str(name) for name in analysis["search_threat"]]
    looks = strength_looks(threats, _look_among(threats))
    measured = "conditional accuracy (%)" if analysis.settings["conditional"] else "accuracy (%)"
    names = analysis.coordinates("search")
    lines = [
        ThreatLine(threat, name, look, *_line(analysis, "accuracy", place))
        for place, (threat, name, look) in enumerate(zip(threats, names, looks, strict=True))
    ]
    return draw_threat_lines(_chart(analysis, "Robustness", lines, measured, apart=True))


def draw_overfitting_analysis(analysis: Analysis) -> Figure:
    """Return a figure with a line for each threat, one variant's score minus another's."""
    threats = [str(name) for name in analysis.coordinates("threat")]
    look_of = _look_among(threats)
    figure: Any = analysis.settings.get("figure", {})
    pair = f"{figure.get('of', 'ours')} \N{MINUS SIGN} {figure.get('minus', 'theirs')}"
    lines = [
        ThreatLine(threat, threat, look_of(threat).line, *_line(analysis, "difference", place))
        for place, threat in enumerate(threats)
    ]
    return draw_threat_lines(_chart(analysis, "Difference", lines, f"{pair} (points)", zero=True))


def _chart(
    analysis: Analysis, title: str, lines: list[ThreatLine], measured: str, **how: bool
) -> ThreatChart:
    """Return the chart of some lines, under the study and the axis of an analysis."""
    settings: Any = analysis.settings
    across = Swept((), tuple(analysis.coordinates("strength")), settings["strength"])
    over = f"{title} of {settings['study']}" if "study" in settings else title
    caption = " ".join([caption_of(analysis), *_told(analysis)])
    bars = len(lines) > _MOST_BANDS
    return ThreatChart(over, lines, across, measured, caption, bars=bars, **how)


def _line(analysis: Analysis, name: str, row: int) -> tuple[Any, Any]:
    """Return the values of a line at each place, and its bands."""
    middle, low, high = (analysis[f"{name}{end}"][row] for end in ("", "_low", "_high"))
    over = str(analysis.settings["interval_over"])
    bands = [
        None if np.isnan(start) else Interval(float(start), float(end), over)
        for start, end in zip(low, high, strict=True)
    ]
    return [(float(value),) for value in middle], bands


def _told(analysis: Analysis) -> list[str]:
    """Return the rank correlations in words, for the caption."""
    each = [np.atleast_1d(analysis[f"correlation{end}"]) for end in ("", "_low", "_high")]
    names = analysis.coordinates("threat") if analysis.kind == "relationship" else ["mean gap"]
    told = [
        f"{name} {value:+.2f}" + ("" if np.isnan(low) else f" [{low:+.2f}, {high:+.2f}]")
        for name, value, low, high in zip(names, *each, strict=True)
    ]
    return [f"Rank correlation with {analysis.settings['strength']}: {', '.join(told)}."]


def _look_among(threats: list[str]) -> Any:
    looks = OBJECTIVES.looks_of(threats)

    def look(name: str) -> Look:
        return looks[name]

    return look
