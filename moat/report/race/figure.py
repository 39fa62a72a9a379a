"""The picture of a race: the interval of each difference against the number of seeds."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from moat.races import PairAtLook
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.looks import looks_of
from moat.report.race.race import Race
from moat.report.race.words import floor_lines, plan_lines
from moat.report.style import FAINT_GREY, GREY, PAPER, drawn_in

_SPREAD = 0.36
"""The largest distance between the intervals of one look, in seeds."""


def draw_race(race: Race) -> Figure:
    """Return the figure, as wide as a column: a mark and an interval for each look and rule.

    The margin is shaded; a filled mark is a verdict, a hollow one is open.
    """
    lines = _lines(race)
    looks = _looks(race, list(lines))
    signs = {name: {**looks[name], "linewidth": 1.0, "markersize": 3.4} for name in lines}
    several = len(lines) > 1 or not race.record.baseline
    with drawn_in(PAPER):
        handles = [Line2D([], [], label=name, **sign) for name, sign in signs.items()] * several
        caption = " ".join(
            [
                "Paired differences with the interval at the level of each look; filled: decided"
                + ("; shaded: within the margin." if race.design.margin else "."),
                *plan_lines(race)[:1],
                *floor_lines(race),
            ]
        )
        title = _title(race, list(lines))
        panels = Panels(1, 1, 1.75, left=0.42, right=0.04)
        figure, (axes,) = lay_out(panels, title, handles, caption)
        _draw(axes, race, lines, signs)
    return figure


def _lines(race: Race) -> dict[str, list[PairAtLook]]:
    """Return the pairs of each rule, a look after the other."""
    lines: dict[str, list[PairAtLook]] = {}
    for look in race.looks:
        for pair in look.pairs:
            if pair.seeds == look.seeds:  # else decided before, and drawn there
                lines.setdefault(pair.rule, []).append(pair)
    return {rule: lines[rule] for rule in race.rules if rule in lines}


def _looks(race: Race, rules: list[str]) -> dict[str, dict[str, Any]]:
    """Return how each rule is drawn: as its run is in every other picture."""
    points = {rule: race.runs[rule][0][0].point for rule in race.rules}
    looks = looks_of(list(points.values()))
    return {rule: looks.of(points[rule]).line for rule in rules}


def _title(race: Race, rules: list[str]) -> str:
    against = race.record.baseline or "the leader"
    of = rules[0] if len(rules) == 1 else "each rule"
    return f"{race.score.title}: {of} less {against}"


def _draw(axes: Any, race: Race, lines: dict[str, list[PairAtLook]], signs: dict[str, Any]) -> None:
    margin, design = race.design.margin, race.design
    plain(axes, grid="y")
    if margin:
        axes.axhspan(-margin, margin, color=FAINT_GREY, alpha=0.6, linewidth=0, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(lines)) if len(lines) > 1 else [0.0]
    reach = _reach(lines, margin)
    for offset, (rule, pairs) in zip(offsets, lines.items(), strict=True):
        sign = signs[rule]
        at = [pair.seeds + offset for pair in pairs]
        line, mark = {**sign, "marker": ""}, {**sign, "linestyle": "", "zorder": 4}
        axes.plot(at, [pair.difference for pair in pairs], **line, zorder=3)
        for x, pair in zip(at, pairs, strict=True):
            low, high = max(pair.low, -10 * reach), min(pair.high, 10 * reach)
            axes.plot([x, x], [low, high], color=sign["color"], linewidth=0.8, zorder=2)
            filled = {} if not pair.is_open else {"markerfacecolor": "white"}
            axes.plot([x], [pair.difference], **mark, **filled)
    axes.set_ylim(-reach, reach)
    last = max([design.first + 1, *(pair.seeds for pairs in lines.values() for pair in pairs)])
    axes.set_xlim(design.first - 0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("seeds", fontsize=TEXT, labelpad=1.5)
    axes.set_ylabel("difference (points)", fontsize=TEXT, labelpad=1.5)


def _reach(lines: dict[str, list[PairAtLook]], margin: float) -> float:
    """Return the ends of the vertical axis: all differences, the margin, and most intervals.

    The interval of a first look may be ten times as wide as the last one, and is cut.
    """
    pairs = [pair for of in lines.values() for pair in of]
    means = [abs(pair.difference) for pair in pairs]
    ends = sorted(abs(end) for p in pairs for end in (p.low, p.high) if np.isfinite(end))
    usual = ends[(3 * len(ends)) // 4] if ends else 0.0
    return 1.1 * max([*means, 1.5 * margin, usual, 0.5])
