"""Pictures for a paper: a plain function a kind, from a group's runs to a matplotlib figure."""

from moat.report.plots.kinds import KINDS, Plots, make_plots, write_plots

__all__ = [
    "KINDS",
    "Plots",
    "make_plots",
    "write_plots",
]
