"""A front as a plotly figure, for notebooks: the marks, lines and words of the HTML page's."""

from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure, Scatter

from moat.report.front.front import Front
from moat.report.page.front_plot import front_plot
from moat.storage import Record

INK, SOFT = "#1a1a1a", "#666666"
GAINED, LOST = "rgba(20,150,95,0.2)", "rgba(214,92,60,0.22)"


def interactive_front(front: Front) -> Figure:
    """Return the first two objectives of every setting, members joined by the front's stairs.

    A hover says all that is known of a setting. Bars are 95 % intervals; hollow marks are
    dominated. With a rival its stairs are broken, and what lies between both is tinted.
    """
    numbers = {row.point.where: 0 for setting in front.settings for row in setting.rows}
    told = front_plot(front, numbers)
    figure = Figure(layout=_layout(told))
    figure.add_trace(_stairs(told["line"], told["worst"], width=2, dash="solid"))
    if rival := told["rival"]:
        line = _stairs(rival["line"], told["worst"], width=1.5, dash="8px,4px")
        figure.add_trace(line.update(name=_escaped(f"front of {rival['name']}"), showlegend=True))
        for boxes, tint in ((rival["gained"], GAINED), (rival["lost"], LOST)):
            for x0, y0, x1, y1 in boxes:
                figure.add_shape(
                    {"type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "layer": "below"},
                    fillcolor=tint,
                    line_width=0,
                )
    for place, variant in enumerate(told["variants"]):
        _add_variant(figure, str(place), variant, told["points"])
    if choice := told["choice"]:
        ring = {"symbol": "circle-open", "size": 22, "color": INK, "line": {"width": 2}}
        figure.add_trace(
            Scatter(
                x=[choice["x"]],
                y=[choice["y"]],
                mode="markers",
                marker=ring,
                name="preferred run",
                hovertext=_hover(choice["said"]),
                hoverinfo="text",
            )
        )
    return figure


def _add_variant(
    figure: Figure, group: str, variant: Record, points: Sequence[Mapping[str, Any]]
) -> None:
    name, symbol = _escaped(variant["name"]), variant["symbol"]
    legend = {"color": variant["colour"], "symbol": symbol, "size": 10}
    figure.add_trace(
        Scatter(x=[None], y=[None], mode="markers", marker=legend, name=name, legendgroup=group)
    )
    for point in points:
        if str(point["variant"]) != group:
            continue
        colour, member = point["colour"], point["member"]
        mark = {"color": colour, "symbol": symbol, "size": 11, "line": {"color": INK, "width": 1}}
        if not member:
            open_mark = {"symbol": f"{symbol}-open", "size": 10, "opacity": 0.85}
            mark = {**mark, **open_mark, "line": {"width": 2}}
        figure.add_trace(
            Scatter(
                x=[point["x"]],
                y=[point["y"]],
                mode="markers",
                marker=mark,
                name=name,
                legendgroup=group,
                showlegend=False,
                hovertext=_hover(point["said"]),
                hoverinfo="text",
                error_x=_bar(point, 0, "x", colour),
                error_y=_bar(point, 1, "y", colour),
            )
        )


def _bar(point: Mapping[str, Any], axis: int, name: str, colour: str) -> dict[str, Any] | None:
    if "low" not in point:
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [abs(point["high"][axis] - point[name])],
        "arrayminus": [abs(point["low"][axis] - point[name])],
        "color": colour,
        "thickness": 1.4 if point["member"] else 0.9,
        "width": 0,
    }


def _stairs(
    line: Sequence[Sequence[float]], worst: Sequence[float], *, width: float, dash: str
) -> Scatter:
    """Return the stairs through a front's members, from one worst edge to the other."""
    across, up = line
    return Scatter(
        x=[worst[0], *across, across[-1]],
        y=[up[0], *up, worst[1]],
        mode="lines",
        line={"shape": "vh", "color": SOFT, "width": width, "dash": dash},
        hoverinfo="skip",
        showlegend=False,
    )


def _layout(told: Record) -> dict[str, Any]:
    def axis(name: str) -> dict[str, Any]:
        about = told[name]
        return {"title": {"text": f"{_escaped(about['name'])} ({about['better']})"}}

    return {
        "template": "plotly_white",
        "xaxis": axis("across"),
        "yaxis": axis("up"),
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": -0.2},
    }


def _hover(said: Sequence[str]) -> str:
    first, *rest = map(_escaped, said)
    return "<br>".join([f"<b>{first}</b>", *rest])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
