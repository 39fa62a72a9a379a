"""A front as data for an interactive plot."""

from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from moat.report.front.front import Front
from moat.report.front.objectives import Objective
from moat.report.front.table import seeds_text
from moat.report.numbers import percent
from moat.report.page.tables import standing
from moat.report.rows import Row
from moat.report.scores.scoreboard import values_of
from moat.report.settings import Setting
from moat.report.style import COLOURS, MARKERS
from moat.storage import Record

SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "p": "pentagon", "<": "triangle-left", ">": "triangle-right"},
    "h": "hexagon",
}
"""The marks of the printed figures, as plotly calls them."""


def front_plot(front: Front, numbers: Mapping[str, int]) -> Record:
    """Return the first two objectives of every setting, how it looks, and what is said of it.

    `run` is the number of its first run, whose card a click opens; `low` and `high` are the ends of
    its intervals, where there are any.

    The line goes through the members by their first objective; between two it goes up or down
    first, then across, and so bounds what they dominate.
    """
    variants = list(dict.fromkeys(point.variant for point in front.group.points))
    values = front.values[:, :2]
    points = [
        {
            "run": numbers[setting.first.where],
            "x": float(values[place, 0]),
            "y": float(values[place, 1]),
            **_ends(front, place),
            "variant": variants.index(setting.first.variant),
            "member": bool(front.members[place]),
            "said": _said(front, place, setting),
        }
        for place, setting in enumerate(front.settings)
    ]
    members = values[front.members]
    x, y = members[np.argsort(members[:, 0], kind="stable")].T
    across, up = (_axis(objective) for objective in front.objectives[:2])
    return {
        **{"across": across, "up": up, "points": points, "line": [x.tolist(), y.tolist()]},
        "variants": [{"name": name, **_look(number)} for number, name in enumerate(variants)],
    }


def _said(front: Front, place: int, setting: Setting) -> list[str]:
    """Return what stands beside a point: name, scores, place on or off the front, how surely."""
    several = [f"the mean of seeds {seeds_text(setting)}"] if len(setting.rows) > 1 else []
    means = {name: setting.mean(partial(_score, name)) for name in values_of(setting.rows[0])}
    sure = front.uncertainty
    lost = setting.mean(attrgetter("sacrificed"))
    return [
        setting.name,
        *several,
        *(f"{name}: {percent(value)}" for name, value in means.items() if value is not None),
        *([] if lost is None else [f"sacrificed natural accuracy: {percent(lost)}"]),
        standing(front, place),
        *(
            []
            if sure is None or sure.on_front is None
            else [f"non-dominated in {sure.on_front[place]:.0%} of the resamples"]
        ),
    ]


def _score(name: str, row: Row) -> float | None:
    return values_of(row)[name]


def _ends(front: Front, place: int) -> Record:
    sure = front.uncertainty
    if sure is None or sure.over[place] is None:
        return {}
    return {"low": sure.low[place, :2].tolist(), "high": sure.high[place, :2].tolist()}


def _look(number: int) -> dict[str, Any]:
    return {
        "colour": COLOURS[number % len(COLOURS)],
        "symbol": SYMBOLS[MARKERS[number % len(MARKERS)]],
    }


def _axis(objective: Objective) -> dict[str, str]:
    return {"name": objective.name, "better": objective.better}
