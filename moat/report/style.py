"""The style of every picture: type, greys, marks, and its files."""

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.report.looks import Look

GREY = "#6B6B6B"
FAINT_GREY = "#E6E6E6"
DPI = 200
STYLE: Any = [
    "default",  # not the user's own: a picture depends on its runs alone
    {"svg.fonttype": "none", "svg.hashsalt": "moat", "font.family": "DejaVu Sans"},
    {"pdf.fonttype": 42},  # TrueType: publishers refuse Type 3
    {"font.size": 9, "axes.titlesize": 11, "legend.fontsize": 8},
    {"text.parse_math": False, "axes.formatter.use_mathtext": False},  # a name may hold two $
]


_METADATA: Mapping[str, Mapping[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""The metadata of a file: equal in every call."""
PAPER: Any = [  # pictures that are as wide as a column of a paper, printed at their own size
    *STYLE,
    {"font.size": 7, "axes.titlesize": 7, "axes.labelsize": 7, "legend.fontsize": 6.5},
    {"xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "axes.linewidth": 0.6},
    {"xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5},
    {"ytick.major.size": 2.5, "axes.formatter.useoffset": False},
]


@contextmanager
def drawn_in(style: Any) -> Iterator[None]:
    """Draw in a style; a letter that its type lacks is a box in a PNG, and no warning."""
    with matplotlib.style.context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def render(figure: Figure, format: str) -> bytes:
    """Return the picture as PNG, SVG or PDF; the same figure gives the same bytes.

    A PNG of many panels is coarser, where it would be larger than matplotlib draws.
    """
    buffer = io.BytesIO()
    metadata = _METADATA[format]
    with drawn_in(STYLE):
        figure.savefig(buffer, format=format, dpi=_resolution(figure), metadata=metadata)
    return buffer.getvalue()


def _resolution(figure: Figure) -> float:
    """Return how many pixels an inch takes: 2^16 a side and 8·10^7 in all are enough."""
    width, height = figure.get_size_inches()
    return float(min(DPI, 65_000 / max(width, height), (8e7 / (width * height)) ** 0.5))


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
