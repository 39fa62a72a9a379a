"""How every picture is set: type, greys, marks, and how it becomes a file."""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.report.looks import Look

GREY = "#6B6B6B"
FAINT = "#E6E6E6"
DPI = 200
STYLE: Any = [
    "default",  # not the user's own: a picture depends on its runs alone
    {"svg.fonttype": "none", "svg.hashsalt": "moat", "font.family": "DejaVu Sans"},
    {"font.size": 9, "axes.titlesize": 11, "legend.fontsize": 8},
]


PAPER: Any = [  # pictures that are as wide as a column of a paper, printed at their own size
    *STYLE,
    {"font.size": 7, "axes.titlesize": 7, "axes.labelsize": 7, "legend.fontsize": 6.5},
    {"xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "axes.linewidth": 0.6},
    {"xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5},
    {"ytick.major.size": 2.5, "text.parse_math": False, "axes.formatter.useoffset": False},
]


def render(figure: Figure, format: str) -> bytes:
    """Return the picture as PNG or SVG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    with matplotlib.style.context(STYLE):
        figure.savefig(buffer, format=format, dpi=DPI, metadata=metadata)
    return buffer.getvalue()


def marker_of(look: Look, *, filled: bool) -> dict[str, Any]:
    """Return how a setting is marked: filled on the front, else hollow."""
    return {
        "linestyle": "",
        "marker": look.marker,
        "markersize": 7,
        "markerfacecolor": look.colour if filled else "white",
        "markeredgecolor": "black" if filled else look.colour,
        "markeredgewidth": 0.8 if filled else 1.3,
    }


def legend_of(looks: Mapping[str, Look]) -> list[Line2D]:
    """Return a line of the legend for each variant, and what filled and hollow mean."""
    handles = [(name, marker_of(look, filled=True)) for name, look in looks.items()]
    plain = {"linestyle": "", "marker": "o", "markersize": 5, "color": "black"}
    handles.append(("filled: on the front", plain))
    handles.append(("hollow: dominated", {**plain, "markerfacecolor": "white"}))
    return [Line2D([], [], label=name, **look) for name, look in handles]
