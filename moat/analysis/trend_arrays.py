"""Rank correlations and intervals as arrays of an analysis, and as its findings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from moat.outcomes.trends import Trend
from moat.records import Analysis, AnalysisFinding, NamedArray

_ENDS = ("", "_low", "_high")


def with_ends(
    name: str, values: Any, axes: tuple[str, ...], unit: str = ""
) -> dict[str, NamedArray]:
    """Return the arrays NAME, NAME_low and NAME_high of (value, low, high) along the axes.

    Example:
        >>> found = with_ends("score", [(50.0, 40.0, 60.0)], ("threat",), "%")
        >>> found["score_low"].values.tolist()
        [40.0]
    """
    each = np.moveaxis(np.asarray(values, np.float64), -1, 0)
    return {f"{name}{end}": NamedArray(e, axes, unit) for end, e in zip(_ENDS, each, strict=True)}


def ends_of(trend: Trend) -> tuple[float, float, float]:
    """Return a rank correlation and the ends of its interval."""
    return trend.value, trend.low, trend.high


def trends_in(analysis: Analysis, name: str = "correlation") -> list[Trend]:
    """Return the rank correlations in an analysis, one an entry of the array."""
    columns = [np.atleast_1d(analysis[f"{name}{end}"]).tolist() for end in _ENDS]
    return [Trend(*values) for values in zip(*columns, strict=True)]


def trend_finding(text: str, trend: Trend) -> AnalysisFinding:
    """Return a finding with a rank correlation and its interval, if there is one."""
    return finding_of(text, ends_of(trend))


def finding_of(
    text: str, value: Sequence[float], unit: str = "", *, is_warning: bool = False
) -> AnalysisFinding:
    """Return a finding with (value, low, high); ends that are NaN are left out."""
    middle, low, high = (None if np.isnan(end) else float(end) for end in value)
    return AnalysisFinding(text, middle, low, high, unit, is_warning)
