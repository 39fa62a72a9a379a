"""A front of three or more objectives as a picture of every pair."""

from typing import Any

from matplotlib.figure import Figure

from moat.report.front.bars import draw_bars
from moat.report.front.choice_marks import choice_caption, choice_handles, draw_choice
from moat.report.front.figure import RIGHT, TYPE_SIZES
from moat.report.front.front import Front
from moat.report.front.notes import caption_text
from moat.report.front.rival_marks import draw_rival_marks, rival_handles
from moat.report.layout import Footing
from moat.report.style import DPI, STYLE, drawn_in, legend_of, marker_of
from moat.report.text_widths import cut_to

_SIDE, _LEFT = 2.3, 0.75  # inches of a panel, and left of all
_MOST_NUMBERS = 40
_MOST_OBJECTIVES = 12  # 66 panels


def draw_pairs(front: Front) -> Figure:
    """Return the figure: a panel for each pair, members of the whole front filled.

    Of more than twelve objectives the first twelve are shown. A member need not look like one in a
    panel: it may be good at what that panel leaves out. The caption names the members by their
    numbers, where these are few.
    """
    count = min(len(front.objectives), _MOST_OBJECTIVES) - 1
    width = max(_SIDE * count + 0.9, 6.0)
    named = [
        f"{place} {setting.name}"
        for place, setting in enumerate(front.settings[: _members(front)], 1)
    ]
    words = f"{'; '.join(named)}. {caption_text(front)}" if named else caption_text(front)
    if len(front.objectives) > _MOST_OBJECTIVES:
        words = f"The first {_MOST_OBJECTIVES} of {len(front.objectives)} objectives. {words}"
    handles = [*legend_of(front.variants), *rival_handles(front), *choice_handles(front)]
    words = f"{words} {choice_caption(front)}".rstrip()
    footing = Footing(width, handles, words, edges=(_LEFT, RIGHT), type_sizes=TYPE_SIZES)
    below = footing.height
    height = _SIDE * count + below + 1.1
    with drawn_in(STYLE):
        figure = Figure(figsize=(width, height), dpi=DPI)
        grid = figure.add_gridspec(
            nrows=count,
            ncols=count,
            left=_LEFT / width,
            right=1 - RIGHT / width,
            bottom=(below + 0.7) / height,
            top=1 - 0.4 / height,
            wspace=0.12,
            hspace=0.12,
        )
        for down in range(count):
            for across in range(down + 1):
                axes = figure.add_subplot(grid[down, across])
                _draw_panel(axes, front, across, down + 1)
                axes.tick_params(labelbottom=down == count - 1, labelleft=across == 0)
                axes.set_xlabel(_title(front, across) if down == count - 1 else "")
                axes.set_ylabel(_title(front, down + 1) if across == 0 else "")
        title = cut_to(front.group.title, 11, width - _LEFT - RIGHT)
        figure.text(_LEFT / width, 1 - 0.25 / height, title, fontsize=11)
        footing.draw(figure)
    return figure


def _draw_panel(axes: Any, front: Front, across: int, up: int) -> None:
    points = front.values[:, [across, up]]
    if len(front.settings) <= _MOST_NUMBERS:
        draw_bars(axes, front, range(len(front.settings)), across, up)
    for place, on in enumerate(front.members):
        look = marker_of(front.look(place), filled=bool(on)) | {"markersize": 5}
        faded = {"zorder": 3} if on else {"zorder": 2, "alpha": 0.6}
        axes.plot(*points[place], **(look | faded), gid=f"run-{place}")
        if place < _members(front):
            axes.annotate(
                str(place + 1), points[place], (3.5, 3.5), textcoords="offset points", fontsize=6
            )
    draw_rival_marks(axes, front, across, up)
    draw_choice(axes, front, across, up, size=11)
    for which, objective in (("x", front.objectives[across]), ("y", front.objectives[up])):
        if not objective.maximised:  # better is always right and up
            getattr(axes, f"invert_{which}axis")()
    axes.margins(0.1)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _members(front: Front) -> int:
    """Return how many members bear a number: the first rows, or none where they are many."""
    count = int(front.members.sum())
    return count if count <= _MOST_NUMBERS else 0


def _title(front: Front, place: int) -> str:
    objective = front.objectives[place]
    return f"{objective.name}\n({objective.better})"
