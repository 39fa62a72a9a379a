"""A front as data for an interactive plot."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from moat.report.front import Front
from moat.report.numbers import percent
from moat.report.objectives import Objective
from moat.report.page.tables import standing
from moat.report.scoreboard import values_of
from moat.report.style import COLOURS, MARKERS
from moat.storage import Record

SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "p": "pentagon", "<": "triangle-left", ">": "triangle-right"},
    "h": "hexagon",
}
"""The marks of the printed figures, as plotly calls them."""


def front_plot(front: Front, numbers: Mapping[str, int]) -> Record:
    """Return the first two objectives of every run, how it looks, and what is said of it.

    The line goes through the members by their first objective; between two it goes up or down
    first, then across, and so bounds what they dominate.
    """
    variants = list(dict.fromkeys(point.variant for point in front.group.points))
    values = front.values[:, :2]
    points = [
        {
            "run": numbers[row.point.where],
            "x": float(values[place, 0]),
            "y": float(values[place, 1]),
            "variant": variants.index(row.point.variant),
            "member": bool(front.members[place]),
            "said": [
                row.name,
                *(f"{name}: {percent(v)}" for name, v in values_of(row).items() if v is not None),
                *_sacrificed(row.sacrificed),
                standing(front, place),
            ],
        }
        for place, row in enumerate(front.rows)
    ]
    members = values[front.members]
    x, y = members[np.argsort(members[:, 0], kind="stable")].T
    across, up = (_axis(objective) for objective in front.objectives[:2])
    return {
        **{"across": across, "up": up, "points": points, "line": [x.tolist(), y.tolist()]},
        "variants": [{"name": name, **_look(number)} for number, name in enumerate(variants)],
    }


def _look(number: int) -> dict[str, Any]:
    return {
        "colour": COLOURS[number % len(COLOURS)],
        "symbol": SYMBOLS[MARKERS[number % len(MARKERS)]],
    }


def _axis(objective: Objective) -> dict[str, str]:
    better = "higher" if objective.maximised else "lower"
    return {"name": objective.name, "better": f"{better} is better"}


def _sacrificed(value: float | None) -> list[str]:
    return [] if value is None else [f"sacrificed natural accuracy: {percent(value)}"]
