"""A front as a table, and its certainty as another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from moat.names import NATURAL
from moat.report.differences import differences_sheet, differences_table
from moat.report.front.front import Front
from moat.report.front.notes import brief_notes, notes
from moat.report.front.objectives import objective_of, threat_title
from moat.report.front.uncertainty import Uncertainty
from moat.report.notes import REACH_TEXT
from moat.report.numbers import DASH, between, percent
from moat.report.settings import Setting
from moat.sheets import FAINT, STRONG, Sheet, TerminalSheet, narrowed, terminal_of

_PROSE = 120  # cells of a line of notes, where the terminal has them
_OUT_OF_REACH = "r out of\nreach"
LIKELY = 0.05
"""Off the front, only settings that are on it in this share of the resamples are shown."""


@dataclass(frozen=True)
class _Layout:
    reach: bool  # whether the share of steps whose r was out of reach is shown
    broken: bool = False  # whether long headings stand in two lines
    numbered: bool = False  # whether a dominated run names the other by its number


def front_table(front: Front, width: int = 120, *, brief: bool = False) -> TerminalSheet:
    """Return one line for each setting: what it was, its scores, and its place on or off the front.

    For a terminal that is too narrow, headings are broken, then the share of steps whose r was
    out of reach is left out, then runs are named by numbers, then scores are left out; last, names
    are wrapped. `brief` notes say no more than a reader must know.
    """
    said = brief_notes(front) if brief else notes(front)
    reaches = (True, False) if _has_reach(front) else (False,)
    layouts = [
        *(_Layout(reach, broken) for reach in reaches for broken in (False, True)),
        *(_Layout(reach, broken=True, numbered=True) for reach in reaches),
    ]
    scores = [_scores(setting, front.group.scored) for setting in front.settings]
    for layout in layouts:
        sheet = _sheet(front, layout, scores, said)
        table = terminal_of(sheet, gap=0, prose=min(width, _PROSE))
        if table.width <= width:
            return table
    spare = ["total", "union", *reversed(front.group.scored), "universal", "seed"]
    return narrowed(sheet, width, [_broken(name) for name in spare], partial(terminal_of, gap=0))


def front_sheet(front: Front) -> Sheet:
    """Return the same with all that there is room for, for a file."""
    scores = [_scores(setting, front.group.scored) for setting in front.settings]
    return _sheet(front, _Layout(_has_reach(front)), scores, notes(front))


def _has_reach(front: Front) -> bool:
    return any(point.out_of_reach is not None for point in front.group.points)


def _sheet(
    front: Front, layout: _Layout, scores: Sequence[Sequence[str]], said: Sequence[str]
) -> Sheet:
    threats = front.group.scored
    seeds = len({point.seed for point in front.group.points}) > 1
    studies = len(front.group.studies) > 1
    names = [*["study"] * studies, "run"]
    numbers = [
        *["seed"] * seeds,
        *("natural", *threats, "universal", "total", "union"),
        *[_OUT_OF_REACH] * layout.reach,
    ]
    if layout.broken:
        numbers = [_broken(name) for name in numbers]
    labels = Counter((s.first.study, s.first.label, seeds_text(s)) for s in front.settings)
    rows = []
    for place, setting in enumerate(front.settings):
        rival = front.dominated_by[place]
        first = setting.first
        alone = labels[first.study, first.label, seeds_text(setting)] == 1
        cells = [
            *[str(place + 1)] * layout.numbered,
            *[first.study] * studies,
            first.label if alone else setting.name,
            *[seeds_text(setting)] * seeds,
            *scores[place][: None if layout.reach else -1],
        ]
        if rival is None:
            cells.append("●")
        else:
            cells.append(f"< {rival + 1 if layout.numbered else front.settings[rival].name}")
        rows.append(tuple(cells))
    return Sheet(
        headings=(*["#"] * layout.numbered, *names, *numbers, "front"),
        rows=tuple(rows),
        sides="r" * layout.numbered + "l" * len(names) + "n" * len(numbers) + "l",
        title=front.group.title,
        notes=(*said, *[f"{REACH_TEXT}."] * layout.reach),
        emphasis=tuple(STRONG if rival is None else FAINT for rival in front.dominated_by),
    )


def seeds_text(setting: Setting) -> str:
    """Return the seed of a setting, or its seeds, the stretches among them by their ends."""
    seeds = setting.seeds
    ends = [seed for seed in seeds if {seed - 1, seed + 1} - set(seeds)]
    if len(seeds) > 2 and ends == [seeds[0], seeds[-1]]:
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))


def _scores(setting: Setting, threats: Sequence[str]) -> list[str]:
    names = [NATURAL, *map(threat_title, threats), "universal", "total", "union"]
    scores = [setting.mean(objective_of(name).value) for name in names]
    reach = setting.mean(lambda row: row.point.out_of_reach)
    return [percent(value) for value in [*scores, reach]]


def _broken(name: str) -> str:
    """Return a long heading in two lines, hyphenated."""
    if len(name) < 8 or "\n" in name:
        return name
    cut = 3 if name == "universal" else (len(name) + 1) // 2
    return f"{name[:cut]}-\n{name[cut:]}"


def interval_table(front: Front, width: int = 120) -> TerminalSheet | None:
    """Return `interval_sheet` for the terminal."""
    sheet = interval_sheet(front)
    return None if sheet is None else narrowed(sheet, width, ("over", "seed"), terminal_of)


def difference_table(front: Front, width: int = 120) -> TerminalSheet | None:
    """Return the paired differences to the baseline for the terminal; None without any."""
    found = front.differences
    return None if found is None else differences_table(found, front.settings, width)


def difference_sheet(front: Front) -> Sheet | None:
    """Return the same for a file."""
    found = front.differences
    return None if found is None else differences_sheet(found, front.settings)


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
        cells = [setting.name, seeds_text(setting), *[sure.over[place] or DASH] * mixed]
        cells += _intervals(front, sure, place)
        cells.append(DASH if share is None else f"{100 * share:.0f} %")
        rows.append(tuple(cells))
        emphasis.append(STRONG if front.members[place] else FAINT)
    headings = ("run", "seed", *["over"] * mixed, *objectives, "non-dominated")
    sides = "l" + "r" * (len(headings) - 1)
    return Sheet(headings, tuple(rows), sides, emphasis=tuple(emphasis))


def _intervals(front: Front, sure: Uncertainty, place: int) -> list[str]:
    ends = zip(front.values[place], sure.low[place], sure.high[place], strict=True)
    return [between(mean, low, high) for mean, low, high in ends]
