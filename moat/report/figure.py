"""A front as a picture: Figure 7 of the paper, with every run labelled."""

import textwrap
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from moat.report.front import Front
from moat.report.labels import Array, need_leaders, place_labels
from moat.report.notes import caption_text
from moat.report.scales import set_scale
from moat.report.style import DPI, GREY, STYLE, legend_of, marker_of

_MOST_LABELS = 150


def draw_front(front: Front) -> Figure:
    """Return the figure: first objective across, second up, the front as a staircase.

    The staircase bounds what the members dominate; a straight line would promise runs between
    them. With more than 150 runs only members are labelled: the table names the others.
    """
    # In inches. More runs get more room; legend and caption stand below the axes.
    growth = min(max(1.0, (len(front.rows) / 30) ** 0.5), 2.5)
    width, height = 8.0 * growth, 6.0 * growth
    variants = list(dict.fromkeys(point.variant for point in front.group.points))
    caption = textwrap.wrap(caption_text(front), int(width * 17.5))
    columns = int(width // 1.25)
    legend_rows = -(-(len(variants) + 2) // columns)
    below = 0.25 + 0.12 * len(caption) + 0.17 * legend_rows
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(width, height), dpi=DPI)
        axes = figure.add_axes(
            (0.85 / width, (below + 0.5) / height, 1 - 1.0 / width, 1 - (below + 0.9) / height)
        )
        axes.set_title(
            textwrap.shorten(front.group.title, int(width * 11), placeholder=" …"), loc="left"
        )
        _draw_points(axes, front, variants)
        _draw_labels(figure, axes, front)
        figure.legend(
            handles=legend_of(variants),
            loc="upper left",
            bbox_to_anchor=(0.75 / width, below / height),
            ncols=columns,
            handlelength=1,
            columnspacing=1.5,
            borderaxespad=0,
            frameon=False,
        )
        figure.text(0.85 / width, 0.1 / height, "\n".join(caption), fontsize=7, color=GREY)
    return figure


def _draw_points(axes: Any, front: Front, variants: list[str]) -> None:
    values = front.values
    for which, column, objective in zip("xy", values.T, front.objectives, strict=True):
        better = "higher" if objective.maximised else "lower"
        unit = f"(percentage points, {better} is better{set_scale(axes, which, column)})"
        join = " " if which == "x" else "\n"  # a picture is less high than wide
        getattr(axes, f"set_{which}label")(f"{objective.name}{join}{unit}")
    x, y = _by_first(values[front.members]).T
    axes.plot(x, y, drawstyle="steps-pre", color=GREY, linewidth=1, zorder=1, gid="front-line")
    for place, (row, on) in enumerate(zip(front.rows, front.members, strict=True)):
        look = marker_of(variants.index(row.point.variant), filled=bool(on))
        faded = {"zorder": 3} if on else {"zorder": 2, "alpha": 0.6}
        axes.plot(*values[place], **look, **faded, gid=f"run-{place}")
    axes.margins(0.12, 0.1)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.autoscale_view()


def _draw_labels(figure: Figure, axes: Any, front: Front) -> None:
    """Write each run's name where it covers nothing, with a thin leader where that is far."""
    every = len(front.rows) <= _MOST_LABELS
    chosen = [place for place, on in enumerate(front.members) if on or every]
    unit = 72 / DPI  # pixels -> points of print
    anchors = axes.transData.transform(front.values[chosen]) * unit
    frame = np.array(axes.get_window_extent().extents) * unit
    leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 4}
    texts = [
        axes.annotate(
            front.rows[place].name,
            front.values[place],
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8 if len(chosen) <= 30 else 7,
            color="black" if front.members[place] else GREY,
            ha="center",
            va="center",
            arrowprops=leader,
        )
        for place in chosen
    ]
    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    sizes = np.array([text.get_window_extent(renderer).size for text in texts]) * unit
    lines = _stairs(_by_first(anchors[front.members[chosen]]))
    centres = place_labels(anchors, sizes, frame, lines)
    leaders = need_leaders(anchors, sizes, centres)
    for text, offset, needed in zip(texts, centres - anchors, leaders, strict=True):
        text.set_position(tuple(offset))
        text.arrow_patch.set_visible(bool(needed))


def _by_first(points: Array) -> Array:
    return np.asarray(points[np.argsort(points[:, 0], kind="stable")])


def _stairs(corners: Array) -> Array:
    """Return the staircase's risers and treads as thin boxes."""
    x, y = corners.T
    rises = np.stack([x[:-1], np.minimum(y[:-1], y[1:]), x[:-1], np.maximum(y[:-1], y[1:])], 1)
    treads = np.stack([x[:-1], y[1:], x[1:], y[1:]], 1)
    thin: Array = np.concatenate([rises, treads]) + np.array([-1, -1, 1, 1])
    return thin
