"""A sheet of panels as wide as a column of a paper: title above, legend and caption below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from moat.report.measured import shortened, width_of, wrapped
from moat.report.style import DPI, FAINT, GREY

COLUMN = 3.45
"""Inches of one column of a paper."""
TEXT, SMALL = 6.5, 5.5  # points
_EDGE, _LINE, _SMALL_LINE, _HANDLE = 0.06, 0.124, 0.093, 0.42  # inches


@dataclass(frozen=True)
class Panels:
    """How many panels, and in inches how large each is, and the room about it for its labels.

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


def lay_out(
    panels: Panels, title: str, handles: Sequence[Any], caption: str, ncols: int | None = None
) -> tuple[Figure, list[Any]]:
    """Return a figure and its axes, a row after the other.

    `handles` go into the legend, in `ncols` columns or in as many as there is room for.
    """
    width, inner = panels.outer
    room = width - 2 * _EDGE
    lines = wrapped(caption, SMALL, room)
    columns, rows = _legend_shape(handles, room, ncols)
    legend = _LINE * rows + (0.08 if rows else 0)
    below = _EDGE + _SMALL_LINE * len(lines) + 0.04
    heading = wrapped(title, 7, room)[:2]
    above = _EDGE + 0.13 * len(heading)
    height = above + inner + legend + below
    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = [
        figure.add_axes(_place(panels, number, width, height, above), projection=panels.projection)
        for number in range(panels.rows * panels.columns)
    ]
    words = "\n".join(shortened(line, 7, room) for line in heading)
    figure.text(_EDGE / width, 1 - _EDGE / height, words, fontsize=7, va="top", linespacing=1.2)
    if handles:
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(_EDGE / width, (below + legend) / height),
            ncols=columns,
            handlelength=2.6,
            handletextpad=0.5,
            columnspacing=1.0,
            labelspacing=0.35,
            borderpad=0,
            borderaxespad=0,
            frameon=False,
            fontsize=TEXT,
        )
    text = "\n".join(lines)
    place = (_EDGE / width, (below - 0.04) / height)
    figure.text(*place, text, fontsize=SMALL, color=GREY, va="top", linespacing=1.2)
    return figure, axes


def plain(axes: Any, *, grid: str = "both") -> None:
    """Take away what says nothing: the frame's upper and right sides; add faint grid lines."""
    axes.grid(color=FAINT, linewidth=0.5, axis=grid)
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


def _legend_shape(handles: Sequence[Any], room: float, ncols: int | None) -> tuple[int, int]:
    """Return the columns and rows of a legend; labels too long for the sheet are shortened."""
    if not handles:
        return 1, 0
    for handle in handles:
        handle.set_label(shortened(str(handle.get_label()), TEXT, room - _HANDLE))
    widest = max(width_of(str(handle.get_label()), TEXT) for handle in handles) + _HANDLE
    fitting = max(1, int(room // widest))
    columns = min(ncols or fitting, fitting, len(handles))
    return columns, -(-len(handles) // columns)
