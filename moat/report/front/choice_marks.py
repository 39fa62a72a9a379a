"""The preferred run on the picture of a front: a ring, and the direction of the preference."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from moat.names import NATURAL
from moat.outcomes.intervals import Floats
from moat.report.front.front import Front
from moat.report.front.objectives import signs_of, values_of
from moat.report.front.stairs import Box

_RING: Any = {
    "linestyle": "",
    "marker": "o",
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "markeredgewidth": 1.5,
}
_ARROW: Any = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.3, "shrinkA": 9, "shrinkB": 0}
_REACH = 36.0  # points of print
_WEIGHED = {
    "universal score": "total",  # which orders runs of one seed alike
    "sacrificed natural accuracy": NATURAL,
    "total score": "total",
    "natural accuracy": NATURAL,
}
"""By which weight an objective is preferred, where the two are not called alike."""


def chosen_values(front: Front) -> Floats | None:
    """Return where the preferred run stands, None where none was asked for."""
    if front.choice is None:
        return None
    return np.asarray(values_of([front.choice.row], front.objectives)[0])


def direction_of(front: Front) -> Floats:
    """Return which way the weights point, of length 1, as the axes run; 0 where they say nothing.

    In shares of the objectives' ranges, as the choice was made. Scores that are no objective of the
    picture point nowhere in it.
    """
    weights = {} if front.choice is None else front.choice.weights
    names = (_WEIGHED.get(o.name, o.name) for o in front.objectives)
    way = -signs_of(front.objectives) * np.array([weights.get(name, 0.0) for name in names])
    return np.asarray(way / (np.linalg.norm(way) or 1.0))


def draw_choice(axes: Any, front: Front, across: int = 0, up: int = 1, size: float = 14) -> None:
    """Ring the preferred run; of two objectives, an arrow shows which way the weights point."""
    values = chosen_values(front)
    if values is None or front.choice is None:
        return
    pair = [across, up]
    look = front.group.looks.of(front.choice.row.point)
    alone = {"marker": look.marker, "color": look.colour, "markersize": size / 4}
    place = next(n for n, one in enumerate(front.settings) if front.choice.row in one.rows)
    tie = np.stack([front.values[place, pair], values[pair]]).T
    axes.plot(*tie, color="black", linewidth=0.7, zorder=1.4)  # a seed beside its setting
    axes.plot(*values[pair], linestyle="", **alone, zorder=3.1)
    axes.plot(*values[pair], **_RING, markersize=size, zorder=4, gid="preferred")
    way = direction_of(front)
    if len(front.objectives) == 2 and way.any():
        end = _REACH * way
        arrow = axes.annotate(
            "", values, end, textcoords="offset points", arrowprops=_reversed(), zorder=4
        )
        arrow.set_gid("preference")


def _reversed() -> dict[str, Any]:
    """Return the arrow from the point to the text, which matplotlib draws the other way."""
    return {**_ARROW, "arrowstyle": "<|-", "shrinkA": 0, "shrinkB": _ARROW["shrinkA"]}


def choice_boxes(front: Front, data: Any, unit: float) -> list[Box]:
    """Return what ring and arrow cover, in points of print, so that no label lies there."""
    values = chosen_values(front)
    if values is None:
        return []
    at, way = data.transform(values) * unit, direction_of(front)
    middles = [at + share * _REACH * way for share in np.linspace(0, 1, 8 if way.any() else 1)]
    return [(x - 7, y - 7, x + 7, y + 7) for x, y in np.array(middles).tolist()]


def choice_handles(front: Front) -> list[Line2D]:
    """Return the legend of the ring."""
    return [] if front.choice is None else [Line2D([], [], **_RING, label="preferred run")]


def choice_caption(front: Front) -> str:
    """Return which run the ring is about, and what the arrow says."""
    choice = front.choice
    if choice is None:
        return ""
    asked = ", ".join(f"{name} {weight:g}" for name, weight in choice.weights.items())
    text = f"Ring: {choice.row.name}, preferred by {asked} on held-out examples."
    points = len(front.objectives) == 2 and direction_of(front).any()
    return text + (" Arrow: the direction of these weights." if points else "")
