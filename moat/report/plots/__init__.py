"""Figures for a paper: one function for each kind, from a group's runs to matplotlib."""

from moat.report.plots.kinds import KINDS, Plots, make_plots, write_plots

__all__ = [
    "KINDS",
    "Plots",
    "make_plots",
    "write_plots",
]
