"""A front as a picture: Figure 7 of the paper, with every run labelled."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.report.front.bars import draw_bars
from moat.report.front.choice_marks import (
    choice_boxes,
    choice_caption,
    choice_handles,
    chosen_values,
    draw_choice,
)
from moat.report.front.front import Front
from moat.report.front.labels import Array, need_leaders, place_labels
from moat.report.front.notes import caption_text
from moat.report.front.objectives import signs_of
from moat.report.front.rival_marks import draw_rival, rival_handles
from moat.report.front.scales import set_scale
from moat.report.front.stairs import boxes_along, staircase
from moat.report.layout import Footing
from moat.report.style import DPI, GREY, STYLE, drawn_in, legend_of, marker_of
from moat.report.text_widths import cut_to

TYPE_SIZES = (8, 7)
"""Of the legend and of the caption, in points."""
_LEFT, RIGHT = 0.85, 0.15  # inches beside the axes
_MOST_LABELS = 150
_THIN: Any = {"color": "#444444", "linewidth": 1.0}
ATTAINED: dict[str, tuple[str, Any]] = {
    "best": ("one seed", {**_THIN, "linestyle": ":"}),
    "median": ("half of the seeds", {**_THIN, "linestyle": "--"}),
    "worst": ("all seeds", {**_THIN, "linestyle": "-."}),
}
"""The attainment surfaces: how they are called in the legend, and how they look."""


def draw_front(front: Front) -> Figure:
    """Return the figure: first objective across, second up, the front as a staircase.

    The staircase bounds what the members dominate; a straight line would promise runs between
    them. With more than 150 settings only members are labelled, with as many members none: the
    table names them.
    """
    # In inches. More runs get more room; legend and caption stand below the axes.
    growth = min(max(1.0, (len(front.settings) / 30) ** 0.5), 2.5)
    width, height = 8.0 * growth, 6.0 * growth
    handles: list[Any] = [*legend_of(front.variants), *_lines_of(front)]
    caption = f"{caption_text(front)} {choice_caption(front)}".rstrip()
    handles += [*rival_handles(front), *choice_handles(front)]
    footing = Footing(width, handles, caption, edges=(_LEFT, RIGHT), type_sizes=TYPE_SIZES)
    below = footing.height
    with drawn_in(STYLE):
        figure = Figure(figsize=(width, height), dpi=DPI)
        axes = figure.add_axes(
            (
                _LEFT / width,
                (below + 0.5) / height,
                1 - (_LEFT + RIGHT) / width,
                1 - (below + 0.9) / height,
            )
        )
        title = cut_to(front.group.title, 11, width - _LEFT - RIGHT)
        axes.set_title(title, loc="left")
        _draw_points(axes, front)
        _draw_fronts(axes, front)
        _draw_labels(figure, axes, front)
        footing.draw(figure)
    return figure


def _draw_points(axes: Any, front: Front) -> None:
    values = front.values
    for which, column, objective in zip("xy", values.T, front.objectives, strict=True):
        unit = f"({objective.better}{set_scale(axes, which, column)})"
        join = " " if which == "x" else "\n"  # a picture is less high than wide
        getattr(axes, f"set_{which}label")(f"{objective.name}{join}{unit}")
    _draw_attainment(axes, front)
    draw_bars(axes, front, _labelled(front), 0, 1)
    for places, name in _marked(front):
        on = bool(front.members[places[0]])
        faded = {"zorder": 3} if on else {"zorder": 2, "alpha": 0.6}
        look = marker_of(front.look(places[0]), filled=on)
        axes.plot(*values[places].T, **look, **faded, gid=name)
    draw_choice(axes, front)
    axes.margins(0.12, 0.1)
    axes.autoscale_view()
    _bound(axes, front)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_fronts(axes: Any, front: Front) -> None:
    """Draw the front as a staircase to the edges of the picture, and the rival's where one is."""
    limits = np.array([axes.get_xlim(), axes.get_ylim()])
    maximised = [objective.maximised for objective in front.objectives]
    worst = np.where(maximised, limits.min(1), limits.max(1))
    signs = signs_of(front.objectives)
    corners = staircase(front.values[front.members], signs, worst)
    line = {"drawstyle": _steps(front), "color": GREY, "linewidth": 1.2}
    axes.plot(*corners.T, **line, zorder=1, gid="front-line")
    draw_rival(axes, front, worst)
    axes.set(xlim=limits[0], ylim=limits[1])


def _bound(axes: Any, front: Front) -> None:
    """Let the points and the members' bars fill the picture; another's bar may leave it."""
    sure, on, chosen = front.uncertainty, front.members, chosen_values(front)
    ends = [front.values, *([] if sure is None else [sure.low[on], sure.high[on]])]
    ends += [] if front.rival is None else [front.rival.points]
    ends += [] if chosen is None else [chosen[None]]
    every = np.concatenate(ends)
    margins = (0.12, 0.1) if chosen is None else (0.18, 0.2)  # an arrow needs room
    for which, margin, low, high in zip(
        "xy", margins, np.nanmin(every, 0), np.nanmax(every, 0), strict=True
    ):
        if getattr(axes, f"get_{which}scale")() == "linear" and high > low:
            room = margin * (high - low)
            getattr(axes, f"set_{which}lim")(low - room, high + room)


def _marked(front: Front) -> list[tuple[list[int], str]]:
    """Return what is drawn at once: each labelled point, and the others that look alike."""
    labelled = _labelled(front)
    alone = [([place], f"run-{place}") for place in labelled]
    others: dict[str, list[int]] = {}
    for place in sorted(set(range(len(front.settings))) - set(labelled)):
        standing = "member" if front.members[place] else "dominated"
        look = front.look(place)
        others.setdefault(f"{standing}-{look.colour[1:]}-{look.marker}", []).append(place)
    return [*alone, *((places, name) for name, places in others.items())]


def _lines_of(front: Front) -> list[Line2D]:
    """Return the legend of the lines that not every front has."""
    if not front.shows_attainment:
        return []
    return [Line2D([], [], label=label, **look) for label, look in ATTAINED.values()]


def _draw_attainment(axes: Any, front: Front) -> None:
    """Draw what one seed, half of the seeds, and all of them attain."""
    found = front.attainment
    if found is None or not front.shows_attainment:
        return
    surfaces = {"best": found.best, "median": found.median, "worst": found.worst}
    for name, surface in surfaces.items():
        corners = _by_first(surface).T
        how = {"drawstyle": _steps(front), "gid": f"attained-{name}", "zorder": 2.5}
        axes.plot(*corners, **how, **ATTAINED[name][1])


def _steps(front: Front) -> str:
    """Return how a staircase runs: what is attained lies on the worse side of each corner."""
    return "steps-pre" if front.objectives[0].maximised else "steps-post"


def _labelled(front: Front) -> list[int]:
    if len(front.settings) <= _MOST_LABELS:
        return list(range(len(front.settings)))
    members = np.flatnonzero(front.members).tolist()
    return members if len(members) <= _MOST_LABELS else []


def _draw_labels(figure: Figure, axes: Any, front: Front) -> None:
    """Write each run's name where it covers nothing, with a thin leader where that is far."""
    chosen = _labelled(front)
    if not chosen:
        return
    unit = 72 / DPI  # pixels -> points of print
    anchors = axes.transData.transform(front.values[chosen]) * unit
    frame = np.array(axes.get_window_extent().extents) * unit
    leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 4}
    veil = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
    texts = [
        axes.annotate(
            front.settings[place].name,
            front.values[place],
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8 if len(chosen) <= 30 else 7,
            color="black" if front.members[place] else GREY,
            ha="center",
            va="center",
            bbox=veil,
            arrowprops=leader,
        )
        for place in chosen
    ]
    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    sizes = np.array([text.get_window_extent(renderer).size for text in texts]) * unit
    lines = np.array(
        [
            box
            for line in axes.lines
            if line.get_gid() in ("front-line", "rival-line")
            for box in boxes_along(axes.transData.transform(line.get_xydata()) * unit)
        ]
        + choice_boxes(front, axes.transData, unit)
    )
    centres = place_labels(anchors, sizes, frame, lines)
    leaders = need_leaders(anchors, sizes, centres)
    for text, offset, needed in zip(texts, centres - anchors, leaders, strict=True):
        text.set_position(tuple(offset))
        text.arrow_patch.set_visible(bool(needed))


def _by_first(points: Array) -> Array:
    return np.asarray(points[np.argsort(points[:, 0], kind="stable")])
