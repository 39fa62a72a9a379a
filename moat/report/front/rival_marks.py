"""Another front on the picture of a front: its staircase, and the region between both."""

from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from moat.outcomes.intervals import Floats
from moat.report.front.front import Front
from moat.report.front.objectives import signs_of
from moat.report.front.stairs import Box, gain_and_loss, staircase

_DARK = "#222222"
_LINE: Any = {"color": _DARK, "linewidth": 1.2, "linestyle": (0, (7, 2.5))}
_MARK: Any = {"marker": "o", "markersize": 3.2, "markerfacecolor": "white"}
_GAIN: Any = {"facecolor": "#CDE9DB", "edgecolor": "none"}
_LOSS: Any = {"facecolor": "#F6DDD6", "edgecolor": "#D9A79A", "hatch": "////", "linewidth": 0}
_LONGEST = 24  # letters of a name in the legend


def draw_rival(axes: Any, front: Front, worst: Floats) -> None:
    """Draw the rival's staircase above tints: gained is what only the front here dominates."""
    rival = front.rival
    if rival is None:
        return
    signs = signs_of(front.objectives)
    gained, lost = gain_and_loss(front.values[front.members], rival.points, signs, worst)
    for boxes, look, name in ((gained, _GAIN, "gained"), (lost, _LOSS, "lost")):
        if boxes:
            polygons = [_corners(box) for box in boxes]
            axes.add_collection(PolyCollection(polygons, zorder=0.4, gid=name, **look))
    corners = staircase(rival.points, signs, worst)
    axes.plot(*corners.T, **_LINE, zorder=1.2, gid="rival-line")
    axes.plot(*rival.points.T, **_MARK, linestyle="", color=_LINE["color"], zorder=1.3)


def draw_rival_marks(axes: Any, front: Front, across: int, up: int) -> None:
    """Draw the rival's members alone, in two of several objectives."""
    if front.rival is not None:
        pair = front.rival.points[:, [across, up]].T
        axes.plot(
            *pair, linestyle="", color=_DARK, marker="x", markersize=4, zorder=3.2, gid="rival"
        )


def rival_handles(front: Front) -> list[Line2D | Patch]:
    """Return the legend of both staircases and of the tints; of pairs, of the marks."""
    rival = front.rival
    if rival is None:
        return []
    name = rival.folder.resolve().name
    name = name if len(name) <= _LONGEST else name[: _LONGEST - 2] + " …"
    if len(front.objectives) > 2:
        return [Line2D([], [], linestyle="", color=_DARK, marker="x", label=f"front of {name}")]
    signs, ours = signs_of(front.objectives), front.values[front.members]
    worst = np.max(np.concatenate([ours, rival.points]) * signs, axis=0) + 1
    gained, lost = gain_and_loss(ours, rival.points, signs, worst * signs)
    return [
        Line2D([], [], label=f"front of {name}", **_LINE, **_MARK),
        *([Patch(label="gained on it", **_GAIN)] if gained else []),
        *([Patch(label="short of it", **_LOSS)] if lost else []),
    ]


def _corners(box: Box) -> Floats:
    left, bottom, right, top = box
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])
