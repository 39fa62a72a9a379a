"""How sure a front is."""

from rich.table import Table

from moat.report.front.front import Front
from moat.report.front.table import seeds_text
from moat.report.front.uncertainty import Uncertainty
from moat.report.numbers import ABSENT, between
from moat.sheets import FAINT, STRONG, Sheet, terminal_of

LIKELY = 0.05
"""Off the front, only settings that are on it in this share of the resamples are shown."""


def interval_table(front: Front) -> Table | None:
    """Return `interval_sheet` for the terminal."""
    sheet = interval_sheet(front)
    return None if sheet is None else terminal_of(sheet)


def interval_sheet(front: Front) -> Sheet | None:
    """Return a line for each setting that may well be on the front; None without intervals.

    Where they do not all speak of the same, it says of what: test examples alone, or seeds as well.
    """
    sure = front.uncertainty
    if sure is None:
        return None
    mixed = len(set(sure.over)) > 1
    objectives = [objective.name for objective in front.objectives]
    rows, emphasis = [], []
    for place, setting in enumerate(front.settings):
        share = None if sure.on_front is None else float(sure.on_front[place])
        if not front.members[place] and share is not None and share < LIKELY:
            continue
        cells = [setting.name, seeds_text(setting), *[sure.over[place] or ABSENT] * mixed]
        cells += _intervals(front, sure, place)
        cells.append(ABSENT if share is None else f"{100 * share:.0f} %")
        rows.append(tuple(cells))
        emphasis.append(STRONG if front.members[place] else FAINT)
    headings = ("run", "seeds", *["over"] * mixed, *objectives, "non-dominated")
    sides = "l" + "r" * (len(headings) - 1)
    return Sheet(headings, tuple(rows), sides, emphasis=tuple(emphasis))


def _intervals(front: Front, sure: Uncertainty, place: int) -> list[str]:
    ends = zip(front.values[place], sure.low[place], sure.high[place], strict=True)
    return [between(mean, low, high) for mean, low, high in ends]
