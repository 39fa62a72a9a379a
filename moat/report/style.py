"""How every picture looks: colours, marks, type, and how it becomes a file."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Okabe and Ito's colours, told apart by colour-blind eyes (their yellow is too faint on white).
# Each variant has a shape of its own as well, and members of the front are filled: nothing is
# lost in black and white.
COLOURS = ("#56B4E9", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#0072B2", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h")
DASHES: Any = (
    "-",
    (0, (4, 1.5)),
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
    (0, (8, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
)
GREY = "#6B6B6B"
FAINT = "#E6E6E6"
DPI = 200
STYLE: Any = [
    "default",  # not the user's own: a picture depends on its runs alone
    {"svg.fonttype": "none", "svg.hashsalt": "moat", "font.family": "DejaVu Sans"},
    {"font.size": 9, "axes.titlesize": 11, "legend.fontsize": 8},
    {"text.parse_math": False, "axes.formatter.use_mathtext": False},  # a name may hold two $
]


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
    """Return the picture as PNG or SVG; the same figure gives the same bytes.

    A PNG of many panels is coarser, where it would be larger than matplotlib draws.
    """
    buffer = io.BytesIO()
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    with drawn_in(STYLE):
        figure.savefig(buffer, format=format, dpi=_resolution(figure), metadata=metadata)
    return buffer.getvalue()


def _resolution(figure: Figure) -> float:
    """Return how many pixels an inch takes: 2^16 a side and 8·10^7 in all are enough."""
    width, height = figure.get_size_inches()
    return float(min(DPI, 65_000 / max(width, height), (8e7 / (width * height)) ** 0.5))


def colour_of(number: int) -> str:
    """Return the colour of the so-manieth variant."""
    return COLOURS[number % len(COLOURS)]


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it, as a hexadecimal number.

    Example:
        >>> mixed("#000000", "#FFFFFF", 0.2)
        '#333333'
    """
    one, two = (np.array(to_rgb(each)) for each in (colour, other))
    red, green, blue = (1 - share) * one + share * two
    return to_hex((float(red), float(green), float(blue)))


def marker_of(number: int, *, filled: bool) -> dict[str, Any]:
    """Return how the so-manieth variant's runs are marked: filled on the front, else hollow."""
    colour = colour_of(number)
    return {
        "linestyle": "",
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 7,
        "markerfacecolor": colour if filled else "white",
        "markeredgecolor": "black" if filled else colour,
        "markeredgewidth": 0.8 if filled else 1.3,
    }


def legend_of(variants: list[str]) -> list[Line2D]:
    """Return a line of the legend for each variant, and what filled and hollow mean."""
    looks = [(name, marker_of(number, filled=True)) for number, name in enumerate(variants)]
    plain = {"linestyle": "", "marker": "o", "markersize": 5, "color": "black"}
    looks.append(("filled: on the front", plain))
    looks.append(("hollow: dominated", {**plain, "markerfacecolor": "white"}))
    return [Line2D([], [], label=name, **look) for name, look in looks]
