"""A front as a table for the terminal."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from moat.names import NATURAL
from moat.report.front.front import Front
from moat.report.front.notes import notes
from moat.report.front.objectives import objective_of
from moat.report.notes import REACH
from moat.report.numbers import percent
from moat.report.settings import Setting
from moat.report.terminal import width_of

_OUT_OF_REACH = "r out of\nreach"


@dataclass(frozen=True)
class _Layout:
    reach: bool  # whether the share of steps whose r was out of reach is shown
    broken: bool = False  # whether long headings stand in two lines
    numbered: bool = False  # whether a dominated run names the other by its number


def front_table(front: Front, width: int = 120) -> Table:
    """Return one line a setting: what it was, its scores, and its place on or off the front.

    For a terminal that is too narrow, headings are broken, then the share of steps whose r was
    out of reach is left out, then runs are named by numbers; last, names are wrapped.
    """
    shared = any(point.out_of_reach is not None for point in front.group.points)
    reaches = (True, False) if shared else (False,)
    layouts = [
        *(_Layout(reach, broken) for reach in reaches for broken in (False, True)),
        *(_Layout(reach, broken=True, numbered=True) for reach in reaches),
    ]
    scores = [_scores(setting, front.group.scored) for setting in front.settings]
    for layout in layouts:
        table = _table(front, layout, scores)
        if width_of(table) <= width:
            break
    return table


def _table(front: Front, layout: _Layout, scores: Sequence[Sequence[str]]) -> Table:
    threats = front.group.scored
    seeds = len({point.seed for point in front.group.points}) > 1
    studies = len(front.group.studies) > 1
    table = Table(
        title=Text(front.group.title),
        caption=Text("\n".join([*notes(front), *[f"{REACH}."] * layout.reach])),
        box=SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        show_edge=False,
        padding=0,
    )
    if layout.numbered:
        table.add_column("#", justify="right", no_wrap=True)
    for name in [*["study"] * studies, "run"]:
        table.add_column(name, overflow="fold")
    numbers = ["natural", *threats, "universal", "total", "union", *[_OUT_OF_REACH] * layout.reach]
    for name in [*["seed"] * seeds, *numbers]:
        heading = _broken(name) if layout.broken else name
        table.add_column(Text(heading), justify="right", min_width=5, no_wrap=True)
    table.add_column("front", overflow="fold")
    labels = Counter((s.first.study, s.first.label, seeds_text(s)) for s in front.settings)
    for place, setting in enumerate(front.settings):
        rival = front.dominated_by[place]
        first = setting.first
        alone = labels[first.study, first.label, seeds_text(setting)] == 1
        name = first.label if alone else setting.name
        words = [*[str(place + 1)] * layout.numbered, *[first.study] * studies, name]
        cells = [
            *words,
            *[seeds_text(setting)] * seeds,
            *scores[place][: None if layout.reach else -1],
        ]
        if rival is None:
            cells.append("●")
        else:
            cells.append(f"< {rival + 1 if layout.numbered else front.settings[rival].name}")
        table.add_row(*(Text(cell) for cell in cells), style="bold" if rival is None else "dim")
    return table


def seeds_text(setting: Setting) -> str:
    """Return the seed of a setting, or its seeds, the stretches among them by their ends."""
    seeds = setting.seeds
    ends = [seed for seed in seeds if {seed - 1, seed + 1} - set(seeds)]
    if len(seeds) > 2 and ends == [seeds[0], seeds[-1]]:
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))


def _scores(setting: Setting, threats: Sequence[str]) -> list[str]:
    names = [NATURAL, *threats, "universal", "total", "union"]
    scores = [setting.mean(objective_of(name).value) for name in names]
    reach = setting.mean(lambda row: row.point.out_of_reach)
    return [percent(value) for value in [*scores, reach]]


def _broken(name: str) -> str:
    """Return a long heading in two lines, hyphenated."""
    if len(name) < 8 or "\n" in name:
        return name
    cut = 3 if name == "universal" else (len(name) + 1) // 2
    return f"{name[:cut]}-\n{name[cut:]}"
