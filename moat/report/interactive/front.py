"""A front for plotly: every setting with its data, and the dominated region."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from moat.outcomes.intervals import Floats
from moat.report.front.choice_marks import choice_caption, chosen_values, direction_of
from moat.report.front.front import Front
from moat.report.front.objectives import signs_of
from moat.report.front.stairs import Box, gain_and_loss
from moat.report.front.table import seeds_text
from moat.report.interactive.layout import (
    INK,
    SOFT,
    SYMBOLS,
    PlotlyFigure,
    layout_of,
    pair_of,
    plotly_text,
)
from moat.report.looks import Look
from moat.report.numbers import percent
from moat.report.rows import Row
from moat.report.scores.scoreboard import board_values

GAINED, LOST = "rgba(20,150,95,0.2)", "rgba(214,92,60,0.22)"
_REACH = 55  # pixels of the arrow of a preference
_Traces = list[dict[str, Any]]


def front_figure(front: Front, numbers: Mapping[str, int] | None = None) -> PlotlyFigure:
    """Return the first two objectives of every setting, members joined by the front's stairs.

    A hover says all that is known of a setting. Bars are 95 % intervals; hollow marks are
    dominated. With a rival its stairs are broken, and what lies between both is tinted. The
    `customdata` of a setting is its first run: its folder, or its number where these are given.
    """
    across, up = (f"{plotly_text(o.name)} ({o.better})" for o in front.objectives[:2])
    layout = layout_of(across, up)
    layout["margin"]["t"] = 34
    traces = [_stairs(front.values[front.members], front, width=2, dash="solid")]
    if rival := front.rival:
        line = _stairs(rival.points, front, width=1.5, dash="8px,4px")
        name = plotly_text(f"front of {rival.folder.resolve().name}")
        traces.append({**line, "name": name, "showlegend": True})
        between = gain_and_loss(
            front.values[front.members][:, :2],
            rival.points[:, :2],
            signs_of(front.objectives)[:2],
            worst_corner(front),
        )
        layout["shapes"] = [*_tints(between[0], GAINED), *_tints(between[1], LOST)]
    for place, (variant, look) in enumerate(front.variants.items()):
        traces += _variant(front, variant, look, str(place), numbers)
    chosen = chosen_values(front)
    if front.choice is not None and chosen is not None:
        traces += _preferred(front, chosen)
        if (way := direction_of(front)[:2]).any():
            layout["annotations"] = [_arrow(chosen, way)]
    return {"data": traces, "layout": layout}


def _variant(
    front: Front, variant: str, look: Look, group: str, numbers: Mapping[str, int] | None
) -> _Traces:
    """Return the legend of a variant, and its settings: those that look alike in one trace."""
    shared: dict[str, Any] = {"name": plotly_text(variant), "legendgroup": group, "mode": "markers"}
    symbol = SYMBOLS[look.marker]
    legend = {"color": look.colour, "symbol": symbol, "size": 10}
    hidden = {"hoverinfo": "skip", "meta": {"marker.color": pair_of(look)}}
    traces = [{**shared, "x": [None], "y": [None], "marker": legend, **hidden}]
    alike: dict[tuple[bool, Look], list[int]] = {}
    for place, setting in enumerate(front.settings):
        if setting.first.variant == variant:
            alike.setdefault((bool(front.members[place]), front.look(place)), []).append(place)
    for (member, own), places in alike.items():
        mark: dict[str, Any] = {"color": own.colour, "symbol": symbol, "size": 11}
        meta: dict[str, Any] = {"marker.color": pair_of(own)}
        if member:
            mark["line"], meta["marker.line.color"] = {"color": INK, "width": 1}, "ink"
        else:
            hollow = {"symbol": f"{symbol}-open", "size": 10, "opacity": 0.85}
            mark |= {**hollow, "line": {"width": 2}}
        bars = _bars(front, places, own.colour, 1.4 if member else 0.9)
        runs: list[Any] = [front.settings[place].first.where for place in places]
        if numbers is not None:
            runs = [numbers[where] for where in runs]
        traces.append(
            {
                **shared,
                "x": front.values[places, 0].tolist(),
                "y": front.values[places, 1].tolist(),
                "showlegend": False,
                "marker": mark,
                "customdata": runs,
                "hovertext": [_hover(said_of_setting(front, place)) for place in places],
                "hoverinfo": "text",
                **bars,
                "meta": {**meta, **{f"{bar}.color": pair_of(own) for bar in bars}},
            }
        )
    return traces


def _bars(front: Front, places: Sequence[int], colour: str, thickness: float) -> dict[str, Any]:
    """Return the bars of some settings; nothing where none has an interval."""
    sure = front.uncertainty
    if sure is None or all(sure.over[place] is None for place in places):
        return {}
    values = front.values[places]
    reach = np.nan_to_num(np.abs(np.stack([sure.high[places] - values, sure.low[places] - values])))
    look = {"type": "data", "symmetric": False, "color": colour, "thickness": thickness, "width": 0}
    return {
        f"error_{name}": {
            **look,
            "array": reach[0, :, axis].tolist(),
            "arrayminus": reach[1, :, axis].tolist(),
        }
        for axis, name in enumerate("xy")
    }


def _stairs(points: Floats, front: Front, *, width: float, dash: str) -> dict[str, Any]:
    """Return the stairs through a front's members, from one worst edge to the other.

    Between two it goes up or down first, then across, and so bounds what they dominate.
    """
    across, up = points[np.argsort(points[:, 0], kind="stable")][:, :2].T.tolist()
    worst = worst_corner(front).tolist()
    return {
        "x": [worst[0], *across, across[-1]],
        "y": [up[0], *up, worst[1]],
        "mode": "lines",
        "line": {"shape": "vh", "color": SOFT, "width": width, "dash": dash},
        "meta": {"line.color": "soft"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _tints(boxes: Sequence[Box], colour: str) -> _Traces:
    tint = {"type": "rect", "layer": "below", "fillcolor": colour, "line": {"width": 0}}
    return [{**tint, "x0": x0, "y0": y0, "x1": x1, "y1": y1} for x0, y0, x1, y1 in boxes]


def _preferred(front: Front, values: Floats) -> _Traces:
    """Return the ring about the preferred run, and the run within."""
    assert front.choice is not None
    look = front.group.looks.of(front.choice.row.point)
    x, y = values[:2].tolist()
    shared = {"x": [x], "y": [y], "mode": "markers", "legendgroup": "preferred"}
    ring = {"symbol": "circle-open", "size": 22, "color": INK, "line": {"width": 2}}
    dot = {"symbol": SYMBOLS[look.marker], "size": 7, "color": look.colour}
    said = _hover([front.choice.row.name, choice_caption(front)])
    return [
        {
            **shared,
            "name": "preferred run",
            "marker": ring,
            "hovertext": said,
            "hoverinfo": "text",
            "meta": {"marker.color": "ink"},
        },
        {
            **shared,
            "marker": dot,
            "hoverinfo": "skip",
            "showlegend": False,
            "meta": {"marker.color": pair_of(look)},
        },
    ]


def _arrow(values: Floats, way: Floats) -> dict[str, Any]:
    """Return the arrow away from the preferred run, whose ring it leaves free."""
    (x, y), (right, up) = values[:2].tolist(), way.tolist()
    return {
        **{"x": x, "y": y, "ax": _REACH * right, "ay": -_REACH * up, "text": ""},
        **{"arrowcolor": INK, "arrowwidth": 1.5, "standoff": 12, "arrowside": "start"},
        **{"startarrowhead": 2, "startarrowsize": 1.2},
    }


def worst_corner(front: Front) -> Floats:
    """Return the corner of the figure that everything shown dominates."""
    sure, signs = front.uncertainty, signs_of(front.objectives)[:2]
    shown = [front.values, *([] if sure is None else [sure.low, sure.high])]
    shown += [] if front.rival is None else [front.rival.points]
    every = np.concatenate(shown)[:, :2] * signs
    low, high = np.nanmin(every, 0), np.nanmax(every, 0)
    return np.asarray((high + 0.05 * (high - low)) * signs)


def said_of_setting(front: Front, place: int) -> list[str]:
    """Return name, scores, place on or off the front, and how surely a setting stands there."""
    setting, sure = front.settings[place], front.uncertainty
    means = {name: setting.mean(partial(_score, name)) for name in board_values(setting.rows[0])}
    lines = [setting.name]
    if len(setting.rows) > 1:
        lines.append(f"the mean of seeds {seeds_text(setting)}")
    lines += [f"{name}: {percent(value)}" for name, value in means.items() if value is not None]
    if (lost := setting.mean(attrgetter("sacrificed"))) is not None:
        lines.append(f"sacrificed natural accuracy: {percent(lost)}")
    lines.append(standing(front, place))
    if sure is not None and sure.on_front is not None:
        lines.append(f"non-dominated in {sure.on_front[place]:.0%} of the resamples")
    return lines


def standing(front: Front, place: int) -> str:
    """Return in words whether a setting is on the front, and else which one dominates it."""
    rival = front.dominated_by[place]
    return "on the front" if rival is None else f"dominated by {front.settings[rival].name}"


def _score(name: str, row: Row) -> float | None:
    return board_values(row)[name]


def _hover(said: Sequence[str]) -> str:
    first, *rest = map(plotly_text, said)
    return "<br>".join([f"<b>{first}</b>", *rest])
