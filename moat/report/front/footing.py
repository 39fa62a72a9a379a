"""What stands below the axes of a front's pictures: the legend, and under it the caption."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from moat.report.measured import width_of
from moat.report.style import GREY


class Footing:
    """A legend and a caption, laid out for a picture of this width, in inches."""

    def __init__(self, width: float, handles: Sequence[Artist], caption: str) -> None:
        self.width, self.handles = width, handles
        self.caption = textwrap.wrap(caption, int(width * 17.5))
        self.columns = _fitting(handles, width)
        rows = -(-len(handles) // self.columns)
        self.height = 0.3 + 0.12 * len(self.caption) + 0.17 * rows

    def draw(self, figure: Figure, left: float) -> None:
        """Write both at the foot of a figure, this far from its left edge."""
        height = figure.get_figheight()
        figure.legend(
            handles=list(self.handles),
            loc="upper left",
            bbox_to_anchor=((left - 0.1) / self.width, self.height / height),
            ncols=self.columns,
            handlelength=1.6,
            columnspacing=1.5,
            borderaxespad=0,
            frameon=False,
        )
        figure.text(
            left / self.width, 0.1 / height, "\n".join(self.caption), fontsize=7, color=GREY
        )


def _fitting(handles: Sequence[Artist], width: float) -> int:
    """Return how many columns of a legend the picture has room for, as they are filled: downwards.

    Each takes its longest name, the sign before it, and the gap after it.
    """
    names = [width_of(str(handle.get_label()), 8) + 0.45 for handle in handles]
    for columns in range(int(width // 1.25), 1, -1):
        rows, longer = divmod(len(names), columns)
        ends = np.cumsum([rows + (place < longer) for place in range(columns)])[:-1]
        widest = [max(part, default=0.0) for part in (p.tolist() for p in np.split(names, ends))]
        if sum(widest) <= width - 0.95:
            return columns
    return 1


def title_of(text: str, width: float) -> str:
    """Return a title, shortened to the picture's width."""
    return textwrap.shorten(text, int(width * 11), placeholder=" …")
