"""The common layout of figures for plotly: frame, colours by day and by night, text."""

from typing import Any

from moat.report.looks import Look
from moat.report.looks.palette import SOLID
from moat.report.looks.shades import on_dark

PlotlyFigure = dict[str, Any]
"""A table of `data`, which are traces, and of `layout`, as plotly.js takes them.

Colours are those of a white page. The `meta` of a trace holds, by the key of each of its colours,
what the page takes in its place: "ink", "soft", or the pair of a light and a dark page.
"""
INK, SOFT, GRID, WHITE = "#1b1b1f", "#55565e", "#e3e4ea", "#ffffff"
SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "p": "pentagon", "<": "triangle-left", ">": "triangle-right"},
    **{"h": "hexagon", "d": "diamond-tall", "*": "star"},
}
"""The marks of the printed figures, as plotly calls them."""
_WIDTH = 2  # pixels of a line, in which its dashes are counted


def layout_of(across: str, up: str, **more: Any) -> dict[str, Any]:
    """Return a layout whose axes have these titles; `more` is added to that of the vertical one."""

    def axis(title: str) -> dict[str, Any]:
        named = {"title": {"text": title, "standoff": 8}, "automargin": True}
        return {**named, "gridcolor": GRID, "zerolinecolor": GRID, "linecolor": SOFT}

    return {
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
        "paper_bgcolor": WHITE,
        "plot_bgcolor": WHITE,
        "margin": {"l": 50, "r": 12, "t": 12, "b": 70},
        "xaxis": axis(across),
        "yaxis": axis(up) | more,
        "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"},
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "showlegend": True,
    }


def line_of(look: Look) -> dict[str, Any]:
    """Return a trace's line and marks in a look, with both of its colours."""
    pair = pair_of(look)
    dash = "solid" if look.dash == SOLID else ",".join(f"{_WIDTH * n:g}px" for n in look.dash[1])
    return {
        "line": {"color": look.colour, "dash": dash, "width": _WIDTH},
        "marker": {"color": look.colour, "symbol": SYMBOLS[look.marker], "size": 8},
        "meta": {"line.color": pair, "marker.color": pair},
    }


def pair_of(look: Look) -> list[str]:
    """Return a look's colour on a light and on a dark page."""
    return [look.colour, on_dark(look.colour)]


def plotly_text(text: str) -> str:
    """Return text that plotly, which reads a little HTML, shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
