"""The layout of figures: panels as wide as a column of a paper; below, legend and caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from moat.report.style import DPI, FAINT_GREY, GREY
from moat.report.text_widths import cut_to, inches_of, wrapped

COLUMN = 3.45
"""Inches of one column of a paper."""
TEXT, SMALL = 6.5, 5.5  # points
_EDGE = 0.06  # inches
_LINE, _SMALL_LINE = 1.37, 1.22  # of a legend and of a caption, in sizes of their type
_HANDLE, _PAD, _GAP = 2.6, 0.5, 1.0  # of a legend: before a label and after it, likewise


@dataclass(frozen=True)
class Panels:
    """The number of panels, the size of each in inches, and the room about it for its labels.

    `title`: above each; `left`, `right`, `below`: outside of the outermost; `between`: across and
    down.
    """

    rows: int
    columns: int
    height: float
    left: float = 0.36
    right: float = 0.0
    below: float = 0.36
    between: tuple[float, float] = (0.12, 0.3)
    title: float = 0.16
    width: float | None = None  # what the column leaves, where it is not given
    projection: str | None = None

    @property
    def size(self) -> tuple[float, float]:
        """The width and height of one panel."""
        gaps = self.between[0] * (self.columns - 1)
        shared = (COLUMN - self.left - self.right - 2 * _EDGE - gaps) / self.columns
        return self.width or shared, self.height

    @property
    def outer(self) -> tuple[float, float]:
        """The width and height of all of them with their labels."""
        (width, height), (across, down) = self.size, self.between
        return (
            self.left + self.right + self.columns * width + (self.columns - 1) * across + 2 * _EDGE,
            self.title + self.rows * height + (self.rows - 1) * down + self.below,
        )


class Footing:
    """A legend and under it a caption, laid out for a figure of this width, in inches.

    `edges` are what lies left and right of them, `type_sizes` those of both, in points. The legend
    has `most` columns, or as many as there is room for.
    """

    def __init__(
        self,
        width: float,
        handles: Sequence[Any],
        caption: str,
        *,
        edges: tuple[float, float] = (_EDGE, _EDGE),
        type_sizes: tuple[float, float] = (TEXT, SMALL),
        most: int | None = None,
    ) -> None:
        self.width, self.left = width, edges[0]
        self.text, self.small = type_sizes
        room = width - sum(edges)
        self.handles = [_cut(handle, self.text, room) for handle in handles]
        self.columns = min(_columns(self.handles, self.text, room), most or len(handles) or 1)
        self.caption = wrapped(caption, self.small, room)
        rows = -(-len(self.handles) // self.columns)
        self.legend = _LINE * self.text / 72 * rows + (0.08 if rows else 0)  # inches
        self.below = _EDGE + _SMALL_LINE * self.small / 72 * len(self.caption) + 0.04

    @property
    def height(self) -> float:
        """The height of both, in inches."""
        return self.legend + self.below

    def draw(self, figure: Figure) -> None:
        """Write both at the foot of the figure."""
        height, left = figure.get_figheight(), self.left / self.width
        if self.handles:
            figure.legend(
                handles=self.handles,
                loc="upper left",
                bbox_to_anchor=(left, self.height / height),
                ncols=self.columns,
                handlelength=_HANDLE,
                handletextpad=_PAD,
                columnspacing=_GAP,
                labelspacing=0.35,
                borderpad=0,
                borderaxespad=0,
                frameon=False,
                fontsize=self.text,
            )
        figure.text(
            left,
            (self.below - 0.04) / height,
            "\n".join(self.caption),
            fontsize=self.small,
            color=GREY,
            va="top",
            linespacing=1.2,
        )


def lay_out(
    panels: Panels, title: str, handles: Sequence[Any], caption: str, ncols: int | None = None
) -> tuple[Figure, list[Any]]:
    """Return a figure and its axes, a row after the other.

    `handles` go into the legend, in `ncols` columns or in as many as there is room for.
    """
    width, inner = panels.outer
    room = width - 2 * _EDGE
    footing = Footing(width, handles, caption, most=ncols)
    heading = wrapped(title, 7, room)[:2]
    above = _EDGE + 0.13 * len(heading)
    height = above + inner + footing.height
    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = [
        figure.add_axes(_place(panels, number, width, height, above), projection=panels.projection)
        for number in range(panels.rows * panels.columns)
    ]
    words = "\n".join(cut_to(line, 7, room) for line in heading)
    figure.text(_EDGE / width, 1 - _EDGE / height, words, fontsize=7, va="top", linespacing=1.2)
    footing.draw(figure)
    return figure, axes


def plain(axes: Any, *, grid: str = "both") -> None:
    """Take away what says nothing: the frame's upper and right sides; add faint grid lines."""
    axes.grid(color=FAINT_GREY, linewidth=0.5, axis=grid)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TEXT, width=0.6, length=2.5, pad=2)


def _place(
    panels: Panels, number: int, width: float, height: float, above: float
) -> tuple[float, float, float, float]:
    """Return where a panel stands, as shares of the figure."""
    row, column = divmod(number, panels.columns)
    (wide, high), (across, down) = panels.size, panels.between
    left = _EDGE + panels.left + column * (wide + across)
    top = above + panels.title + row * (high + down)
    return left / width, 1 - (top + high) / height, wide / width, high / height


def _cut(handle: Any, size: float, room: float) -> Any:
    """Return a handle of a legend whose label is cut where it is too long for the figure."""
    sign = (_HANDLE + _PAD) * size / 72
    handle.set_label(cut_to(str(handle.get_label()), size, room - sign))
    return handle


def _columns(handles: Sequence[Any], size: float, room: float) -> int:
    """Return how many columns of a legend there is room for, as they are filled: downwards.

    Each takes its longest label, the sign before it, and the gap after it.
    """
    sign = (_HANDLE + _PAD + _GAP) * size / 72
    widths = [inches_of(str(handle.get_label()), size) + sign for handle in handles]
    for columns in range(len(widths), 1, -1):
        rows, longer = divmod(len(widths), columns)
        ends = np.cumsum([rows + (place < longer) for place in range(columns)])[:-1]
        if sum(part.max() for part in np.split(np.array(widths), ends)) <= room:
            return columns
    return 1
