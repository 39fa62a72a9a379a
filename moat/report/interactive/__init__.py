"""Figures for plotly as plain data, for the page and for notebooks."""

from moat.report.interactive.curves import OF_RUNS, run_figure
from moat.report.interactive.front import front_figure
from moat.report.interactive.layout import PlotlyFigure

__all__ = ["OF_RUNS", "PlotlyFigure", "front_figure", "run_figure"]
