"""Pictures for a paper: a plain function a kind, from a group's runs to a matplotlib figure."""

from moat.report.plots.declared import Difference, Relationship, figure_from
from moat.report.plots.kinds import KINDS, Plots, make_plots, write_plots

__all__ = [
    "KINDS",
    "Difference",
    "Plots",
    "Relationship",
    "figure_from",
    "make_plots",
    "write_plots",
]
