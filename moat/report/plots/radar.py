"""Radar: the outline of a variant's scores, a panel a variant, over that of the natural runs."""

from collections.abc import Sequence
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.errors import PlotError
from moat.report.columns import Column
from moat.report.notes import protocol_text
from moat.report.plots.layout import COLUMN, SMALL, Panels, lay_out
from moat.report.plots.looks import families_of, point_name, seeds_text
from moat.report.plots.parallel import scores_table
from moat.report.plots.runs import Runs
from moat.report.style import COLOURS, DASHES, FAINT, GREY, PAPER

_MOST_OUTLINES = 3
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": COLOURS[5], "linestyle": DASHES[0], "marker": "o"},
    {"color": COLOURS[1], "linestyle": DASHES[1], "marker": "s"},
    {"color": "black", "linestyle": DASHES[2], "marker": "^"},
)


def draw_radar(runs: Runs) -> Figure:
    """Return the figure: natural accuracy, every score and the union, from 0 to 100 %.

    Of a sweep the first, the middle and the last point are drawn. PlotError of less than three
    scores, whose outline is no area.
    """
    table = scores_table(runs)
    if len(table) < 3:
        raise PlotError(
            f"a radar needs three scores, and these runs have {len(table)}: {', '.join(table)}.",
            hint="An evaluation with union_only has no score of a single threat.",
        )
    values = dict(zip(runs.columns, np.array(list(table.values())).T, strict=True))
    natural = [values[column] for column in runs.columns if column.first.is_natural]
    families = list(families_of(runs.columns).items())
    across = min(len(families), 3 if len(families) <= 12 else 6)
    rows = -(-len(families) // across)
    chosen = [_chosen(members) for _, members in families]
    with matplotlib.style.context(PAPER):
        figure, every = lay_out(
            _panels(rows, across, max(map(len, chosen))),
            runs.group.title,
            _handles(bool(natural)),
            _caption(runs, families),
        )
        for axes in every[len(families) :]:
            axes.remove()
        for axes, ((_, variant), _), shown in zip(every, families, chosen, strict=False):
            _draw_frame(axes, list(table))
            axes.set_title(variant, fontsize=7, pad=13)
            if natural:
                _draw_outline(axes, np.mean(natural, 0), color=GREY, linewidth=0.6, alpha=0.9)
            for column, look in zip(shown, _LOOKS, strict=False):
                _draw_outline(axes, values[column], **look, linewidth=1.1, markersize=2.2)
                axes.fill(_angles(len(table)), values[column], color=look["color"], alpha=0.08)
            _name_outlines(axes, shown)
    return figure


def _panels(rows: int, across: int, outlines: int) -> Panels:
    """Return room for round panels, each with its name above and its outlines' names below."""
    down = 0.62 + (0.1 * outlines if outlines > 1 else 0)
    width = (COLUMN - 0.3 - 0.55 * 2) / 3
    return Panels(
        *(rows, across, width),
        width=width,
        left=0.28,
        between=(0.55, down),
        below=down - 0.35,
        title=0.42,
        projection="polar",
    )


def _chosen(members: Sequence[Column]) -> list[Column]:
    """Return the first, the middle and the last of a sweep."""
    count = min(len(members), _MOST_OUTLINES)
    places = np.linspace(0, len(members) - 1, count).round().astype(int)
    return [members[place] for place in places]


def _draw_frame(axes: Any, names: Sequence[str]) -> None:
    axes.set_theta_offset(np.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 100)
    axes.set_yticks([25, 50, 75, 100], [])
    axes.set_xticks(_angles(len(names)), [])
    axes.grid(color=FAINT, linewidth=0.5)
    axes.spines["polar"].set(color=GREY, linewidth=0.5)
    for angle, name in zip(_angles(len(names)), names, strict=True):
        x, y = np.sin(angle), np.cos(angle)
        axes.annotate(
            name,
            (angle, 100),
            xytext=(3 * x, 3 * y),
            textcoords="offset points",
            fontsize=SMALL,
            ha="center" if abs(x) < 0.2 else "left" if x > 0 else "right",
            va="center" if abs(y) < 0.2 else "bottom" if y > 0 else "top",
        )


def _draw_outline(axes: Any, values: Any, **look: Any) -> None:
    angles = _angles(len(values))
    axes.plot([*angles, angles[0]], [*values, values[0]], clip_on=False, **look)


def _angles(count: int) -> Any:
    return np.linspace(0, 2 * np.pi, count, endpoint=False)


def _name_outlines(axes: Any, shown: Sequence[Column]) -> None:
    """Write below a panel which outline is which point of the sweep, where there are several."""
    if len(shown) < 2:
        return
    handles = [
        Line2D([], [], label=point_name(column), **look, linewidth=1.1, markersize=2.5)
        for column, look in zip(shown, _LOOKS, strict=False)
    ]
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        fontsize=SMALL,
        handlelength=3,
        labelspacing=0.15,
        borderpad=0,
        borderaxespad=0,
        frameon=False,
    )


def _handles(natural: bool) -> list[Line2D]:
    return [Line2D([], [], color=GREY, linewidth=0.6, label="natural")] if natural else []


def _caption(runs: Runs, families: Sequence[tuple[Any, Sequence[Column]]]) -> str:
    words = ["From the centre, 0 %, to the rim, 100 %; rings at 25, 50 and 75 %."]
    if any(len(members) > _MOST_OUTLINES for _, members in families):
        words.append("Of a sweep the first, the middle and the last point are drawn.")
    return " ".join([*words, seeds_text(runs.columns), protocol_text(runs.group)])
