"""A front as data for an interactive plot."""

from collections.abc import Mapping
from functools import partial
from operator import attrgetter

import numpy as np

from moat.outcomes.intervals import Floats
from moat.report.front.drawn_choice import choice_caption, chosen_values, direction_of
from moat.report.front.front import Front
from moat.report.front.objectives import Objective, signs_of
from moat.report.front.stairs import gain_and_loss
from moat.report.front.table import seeds_text
from moat.report.numbers import percent
from moat.report.page.looks_data import look_data
from moat.report.page.tables import standing
from moat.report.rows import Row
from moat.report.scores.scoreboard import board_values
from moat.report.settings import Setting
from moat.storage import Record


def front_plot(front: Front, numbers: Mapping[str, int]) -> Record:
    """Return the first two objectives of every setting, how it looks, and what is said of it.

    `run` is the number of its first run, whose card a click opens; `low` and `high` are the ends of
    its intervals, where there are any.

    The line goes through the members by their first objective; between two it goes up or down
    first, then across, and so bounds what they dominate, to the corner that all dominate. The
    rival's goes likewise, where there is one, and `gained` and `lost` lie between both.
    """
    variants = list(front.variants)
    values = front.values[:, :2]
    points = [
        {
            "run": numbers[setting.first.where],
            "x": float(values[place, 0]),
            "y": float(values[place, 1]),
            **_ends(front, place),
            "variant": variants.index(setting.first.variant),
            **look_data(front.look(place)),
            "member": bool(front.members[place]),
            "said": _said(front, place, setting),
        }
        for place, setting in enumerate(front.settings)
    ]
    across, up = (_axis(objective) for objective in front.objectives[:2])
    return {
        **{"across": across, "up": up, "points": points, "line": _by_first(values[front.members])},
        "variants": [{"name": name, **look_data(look)} for name, look in front.variants.items()],
        "worst": _worst(front).tolist(),
        "rival": _rival(front),
        "choice": _choice(front),
    }


def _by_first(points: Floats) -> list[list[float]]:
    across, up = points[np.argsort(points[:, 0], kind="stable")].T
    return [across.tolist(), up.tolist()]


def _worst(front: Front) -> Floats:
    """Return the corner of the plot that everything shown dominates."""
    sure, signs = front.uncertainty, signs_of(front.objectives)[:2]
    shown = [front.values, *([] if sure is None else [sure.low, sure.high])]
    shown += [] if front.rival is None else [front.rival.points]
    every = np.concatenate(shown)[:, :2] * signs
    low, high = np.nanmin(every, 0), np.nanmax(every, 0)
    return np.asarray((high + 0.05 * (high - low)) * signs)


def _rival(front: Front) -> Record | None:
    rival = front.rival
    if rival is None:
        return None
    theirs, signs = rival.points[:, :2], signs_of(front.objectives)[:2]
    ours = front.values[front.members][:, :2]
    gained, lost = gain_and_loss(ours, theirs, signs, _worst(front))
    name = rival.folder.resolve().name
    return {"name": name, "line": _by_first(theirs), "gained": gained, "lost": lost}


def _choice(front: Front) -> Record | None:
    values = chosen_values(front)
    if values is None or front.choice is None:
        return None
    return {
        **{"x": float(values[0]), "y": float(values[1])},
        "way": direction_of(front)[:2].tolist(),
        **look_data(front.group.looks.of(front.choice.row.point)),
        "said": [front.choice.row.name, choice_caption(front)],
    }


def _said(front: Front, place: int, setting: Setting) -> list[str]:
    """Return what stands beside a point: name, scores, place on or off the front, how surely."""
    several = [f"the mean of seeds {seeds_text(setting)}"] if len(setting.rows) > 1 else []
    means = {name: setting.mean(partial(_score, name)) for name in board_values(setting.rows[0])}
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
    return board_values(row)[name]


def _ends(front: Front, place: int) -> Record:
    sure = front.uncertainty
    if sure is None or sure.over[place] is None:
        return {}
    return {"low": sure.low[place, :2].tolist(), "high": sure.high[place, :2].tolist()}


def _axis(objective: Objective) -> dict[str, str]:
    return {"name": objective.name, "better": objective.better}
