"""How names look on the page: as on paper, and lighter where the page is dark."""

from typing import Any

from moat.report.looks import Look
from moat.report.looks.palette import SOLID
from moat.report.looks.shades import on_dark
from moat.storage import Record

SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "p": "pentagon", "<": "triangle-left", ">": "triangle-right"},
    **{"h": "hexagon", "d": "diamond-tall", "*": "star"},
}
"""The marks of the printed figures, as plotly calls them."""
_WIDTH = 2  # pixels of a line, in which its dashes are counted


def look_data(look: Look) -> Record:
    """Return a look as the page's script takes it."""
    return {
        "colour": look.colour,
        "dark": on_dark(look.colour),
        "symbol": SYMBOLS[look.marker],
        "dash": _dash(look.dash),
    }


def _dash(dash: Any) -> str:
    """Return dashes as plotly has them: lengths in pixels."""
    return "solid" if dash == SOLID else ",".join(f"{_WIDTH * length:g}px" for length in dash[1])
