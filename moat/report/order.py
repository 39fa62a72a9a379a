"""The order of settings by what they cost, or by a score."""

import math
from collections.abc import Sequence

from moat.report.front.objectives import SCORES, objective_of, require_scores, threat_title
from moat.report.groups import Group
from moat.report.rows import Row
from moat.report.settings import Setting

TO_HERE = "passes_to_here"
"""The passes of a training and of those that led to its start: the whole cost of its weights."""
COSTS = ("passes", TO_HERE, "seconds")
"""The costs of a training in its record: see `Fitted`."""


def cost(setting: Setting, name: str) -> float | None:
    """Return the mean cost of a setting's trainings, None where one did not record it."""
    return setting.mean(lambda row: _recorded(row, name))


def _recorded(row: Row, name: str) -> float | None:
    point = row.point
    value = point.passes_to_here if name == TO_HERE else point.training.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


def require_order(by: str, group: Group) -> None:
    """Raise FrontError with the nearest for what settings cannot be sorted by."""
    known = [*COSTS, *SCORES, *map(threat_title, group.scored)]
    if by not in COSTS:
        require_scores([by], known, "sort")


def sort_key(setting: Setting, by: str) -> tuple[bool, float]:
    """Return by what settings ascend: the cheapest or the best first, then those without it."""
    if by in COSTS:
        value = cost(setting, by)
        return value is None, 0.0 if value is None else value
    objective = objective_of(by)
    score = setting.mean(objective.value)
    if score is None:
        return True, 0.0
    return False, -score if objective.maximised else score


def in_order_of(by: str | None, settings: Sequence[Setting], group: Group) -> list[Setting]:
    """Return the settings in the order that was asked for, or as they are."""
    if by is None:
        return list(settings)
    require_order(by, group)
    return sorted(settings, key=lambda setting: sort_key(setting, by))
