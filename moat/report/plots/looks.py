"""Lines of columns: the style of each, its band over the seeds, its place in the legend."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from moat.outcomes.intervals import FEWEST_SEEDS
from moat.report.intervals import PERCENT, Interval
from moat.report.settings import Runs, Setting

BANDS = f"bands: {PERCENT} intervals over test examples and seeds, from {FEWEST_SEEDS} seeds on"
MOST_NAMED = 18
"""Up to so many columns each has a line of the legend; of more, each variant has one."""


def lines_of(runs: Runs, columns: Sequence[Setting]) -> list[dict[str, Any]]:
    """Return how the line of each column is drawn; a variant's sweep goes from light to dark.

    Nothing is told by colour alone: variants differ in their markers, and in dashes what a variant
    sweeps. A column looks alike whatever others are drawn beside it.
    """
    return [runs.group.looks.of(column.first).line for column in columns]


def legend_lines(columns: Sequence[Setting], looks: Sequence[dict[str, Any]]) -> list[Line2D]:
    """Return a line of the legend for each column, for each variant where they are many."""
    small: dict[str, Any] = {"markersize": 3.5, "linewidth": 1.1}
    if len(columns) <= MOST_NAMED:
        named = [(column.name, look) for column, look in zip(columns, looks, strict=True)]
    else:
        named = [
            (_counted(members), looks[columns.index(members[-1])])
            for members in families_of(columns).values()
        ]
    return [Line2D([], [], label=name, **look, **small) for name, look in named]


def _family(column: Setting) -> tuple[str, str]:
    return column.first.study, column.first.variant


def families_of(columns: Sequence[Setting]) -> dict[tuple[str, str], list[Setting]]:
    """Return the columns of each variant of each study."""
    families: dict[tuple[str, str], list[Setting]] = {}
    for column in columns:
        families.setdefault(_family(column), []).append(column)
    return families


def spread_over(members: Sequence[Setting], most: int) -> list[Setting]:
    """Return at most so many of a sweep's points: the first, the last, and some between."""
    places = np.linspace(0, len(members) - 1, min(len(members), most)).round().astype(int)
    return [members[place] for place in places]


def point_name(column: Setting) -> str:
    """Return what tells a column from the others of its variant: its sweep values."""
    return column.first.label.removeprefix(column.first.variant).strip() or column.name


def draw_line(
    axes: Any,
    places: Sequence[float],
    values: Sequence[Sequence[float]],
    look: Mapping[str, Any],
    bands: Sequence[Interval | None],
    opacity: float = 0.13,
) -> None:
    """Draw the mean of the seeds at each place, and as a band the intervals that there are."""
    mean = [float(np.mean(seeds)) for seeds in values]
    axes.plot(places, mean, **({"linewidth": 1.1, "markersize": 3.2} | dict(look)))
    if any(bands):
        low, high = np.array([(b.low, b.high) if b else (np.nan, np.nan) for b in bands]).T
        axes.fill_between(places, low, high, color=look["color"], alpha=opacity, linewidth=0)


def means_text(columns: Sequence[Setting]) -> str:
    """Return over how many seeds means are, where some column has several."""
    counts = sorted({len(column.rows) for column in columns if len(column.rows) > 1})
    return f"Means over {' or '.join(map(str, counts))} seeds." if counts else ""


def bands_text(columns: Sequence[Setting]) -> str:
    """Return the same, and what the bands are."""
    text = means_text(columns)
    return f"{text[:-1]}; {BANDS}." if text else ""


def _counted(members: Sequence[Setting]) -> str:
    """Return the name of a variant's line, its sweep summed up."""
    first, *others = members
    if not others:
        return first.name
    name = first.name.removesuffix(first.first.label) + first.first.variant
    return f"{name} ({len(members)} points, light to dark)"
