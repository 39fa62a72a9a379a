"""How sure a front is, as a table for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from moat.report.front.front import Front
from moat.report.front.table import seeds_text
from moat.report.front.uncertainty import Uncertainty
from moat.report.numbers import ABSENT, between

LIKELY = 0.05
"""Off the front, only settings that are on it in this share of the resamples are shown."""


def interval_table(front: Front) -> Table | None:
    """Return a line for each setting that may well be on the front; None without intervals.

    Where they do not all speak of the same, it says of what: test examples alone, or seeds as well.
    """
    sure = front.uncertainty
    if sure is None:
        return None
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("run", overflow="fold")
    mixed = len(set(sure.over)) > 1
    for name in ("seeds", *["over"] * mixed, *(one.name for one in front.objectives)):
        table.add_column(Text(name), justify="right")
    table.add_column("non-dominated", justify="right")
    for place, setting in enumerate(front.settings):
        share = None if sure.on_front is None else float(sure.on_front[place])
        if not front.members[place] and share is not None and share < LIKELY:
            continue
        cells = [setting.name, seeds_text(setting), *[sure.over[place] or ABSENT] * mixed]
        cells += _intervals(front, sure, place)
        cells.append(ABSENT if share is None else f"{100 * share:.0f} %")
        style = "bold" if front.members[place] else "dim"
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _intervals(front: Front, sure: Uncertainty, place: int) -> list[str]:
    ends = zip(front.values[place], sure.low[place], sure.high[place], strict=True)
    return [between(mean, low, high) for mean, low, high in ends]
