"""Radar: the outline of a variant's scores over the natural runs', a panel for each variant."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.errors import PlotError
from moat.report.layout import COLUMN, SMALL, Panels, lay_out
from moat.report.notes import protocol_text
from moat.report.plots.looks import (
    families_of,
    lines_of,
    means_text,
    point_name,
    spread_over,
)
from moat.report.plots.parallel import scores_table
from moat.report.settings import Runs, Setting
from moat.report.style import FAINT_GREY, GREY, PAPER, drawn_in
from moat.report.text_widths import cut_to, inches_of

_MOST_OUTLINES = 3


def draw_radar(runs: Runs) -> Figure:
    """Return the figure: natural accuracy, every score and the union, from 0 to 100 %.

    Of a sweep the first, the middle and the last point are drawn. PlotError of less than three
    scores, whose outline is not an area.
    """
    table = scores_table(runs)
    if len(table) < 3:
        raise PlotError(
            f"a radar needs three scores; these runs have {len(table)}: {', '.join(table)}.",
            hint="An evaluation with union_only has no score for a single threat.",
        )
    values = dict(zip(runs.settings, np.array(list(table.values())).T, strict=True))
    natural = [column for column in runs.settings if column.first.is_natural]
    origin = np.mean([values[column] for column in natural], 0) if natural else None
    beneath = {"color": runs.group.looks.of(natural[0].first).colour} if natural else {}
    families = list(families_of(runs.settings).items())
    across = min(len(families), 2 if len(families) <= 10 else 4)
    rows = -(-len(families) // across)
    chosen = [spread_over(members, _MOST_OUTLINES) for _, members in families]
    with drawn_in(PAPER):
        panels = _panels(rows, across, list(table), max(map(len, chosen)))
        figure, every = lay_out(
            panels,
            runs.group.title,
            _handles(beneath),
            _caption(runs, families),
        )
        room = (panels.size[0] + 2 * min(panels.left, panels.right)) / 1.15
        for axes in every[len(families) :]:
            axes.remove()
        for axes, ((_, variant), _), shown in zip(every, families, chosen, strict=False):
            _draw_frame(axes, list(table))
            name = variant if len(shown) > 1 else shown[0].first.label
            axes.set_title(cut_to(name, 7, room), fontsize=7, fontweight="bold", pad=12)
            looks = lines_of(runs, shown)
            if origin is not None:
                _draw_outline(axes, origin, **beneath, linewidth=0.6, alpha=0.9)
            for column, look in zip(shown, looks, strict=True):
                _draw_outline(axes, values[column], **look, linewidth=1.1, markersize=2.2)
            if len(shown) == 1:
                colour = looks[0]["color"]
                axes.fill(_angles(len(table)), values[shown[0]], color=colour, alpha=0.1)
            _name_outlines(axes, shown, looks)
    return figure


def _panels(rows: int, across: int, names: Sequence[str], outlines: int) -> Panels:
    """Return room for round panels, their scores' names about, their outlines' names below."""
    turns = np.sin(_angles(len(names)))
    left, right = (
        0.08 + max(inches_of(n, SMALL) for n, x in zip(names, turns, strict=True) if x * side > 0.2)
        for side in (-1, 1)
    )
    down = 0.1 * outlines if outlines > 1 else 0
    width = (COLUMN - 2 * (left + right) - 0.2) / 2
    return Panels(
        rows=rows,
        columns=across,
        height=max(width, 0.8),
        width=max(width, 0.8),
        left=left,
        right=right,
        between=(left + right, 0.48 + down),
        below=0.2 + down,
        title=0.38,
        projection="polar",
    )


def _draw_frame(axes: Any, names: Sequence[str]) -> None:
    axes.set_theta_offset(np.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 100)
    axes.set_yticks([25, 50, 75, 100], [])
    axes.set_xticks(_angles(len(names)), [])
    axes.grid(color=FAINT_GREY, linewidth=0.5)
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


def _name_outlines(axes: Any, shown: Sequence[Setting], looks: Sequence[dict[str, Any]]) -> None:
    """Write below a panel which outline is which point of the sweep, where there are several."""
    if len(shown) < 2:
        return
    handles = [
        Line2D([], [], label=point_name(column), **look, linewidth=1.1, markersize=2.5)
        for column, look in zip(shown, looks, strict=True)
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


def _handles(beneath: dict[str, Any]) -> list[Line2D]:
    return [Line2D([], [], **beneath, linewidth=0.6, label="natural runs")] if beneath else []


def _caption(runs: Runs, families: Sequence[tuple[Any, Sequence[Setting]]]) -> str:
    words = ["The centre is 0 %, the rim 100 %; rings mark 25, 50 and 75 %."]
    if any(len(members) > _MOST_OUTLINES for _, members in families):
        words.append("Sweeps show their first, middle and last points.")
    return " ".join([*words, means_text(runs.settings), protocol_text(runs.group)])
