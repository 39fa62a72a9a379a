"""The 95 % intervals of every table and picture, and their scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from moat.outcomes import (
    NATURAL_SEARCHES,
    Column,
    seeds_interval,
    share_contributions,
    withstood,
)
from moat.outcomes.intervals import FEWEST_SEEDS, LEVEL, Ends, Floats
from moat.report.front.objectives import Objective
from moat.report.points import Point, in_order
from moat.report.rows import Row

EXAMPLES, SEEDS = "examples", "examples and seeds"
"""The scope of an interval: other test examples alone, or other seeds as well."""
PERCENT = f"{100 * LEVEL:g} %"


def spoken_of(seeds: int) -> str | None:
    """Return what an interval of so many seeds speaks of; None where there is none."""
    if seeds == 1:
        return EXAMPLES
    return SEEDS if seeds >= FEWEST_SEEDS else None


@dataclass(frozen=True)
class Interval:
    """The ends of a 95 % interval, and what it speaks of."""

    low: float
    high: float
    over: str


def score_intervals(rows: Sequence[Row], objectives: Sequence[Objective]) -> list[Interval | None]:
    """Return the intervals of the means of some seeds' scores; None where there can be none.

    Each is over the runs that have the score.
    """
    having = [tuple(row for row in rows if o.value(row) is not None) for o in objectives]
    found: list[Interval | None] = [None] * len(objectives)
    for some in dict.fromkeys(having):
        over = spoken_of(len(some)) if some else None
        if over is None or not judged_alike(some):
            continue
        places = [place for place, other in enumerate(having) if other == some]
        chosen = [objectives[place] for place in places]
        (lows,), (highs,) = intervals_of([added_by(some, chosen)], [some], chosen)
        for place, low, high in zip(places, lows.tolist(), highs.tolist(), strict=True):
            found[place] = Interval(low, high, over)
    return found


def seeds_share_interval(
    points: Sequence[Point], columns: Sequence[Column], conditional: bool = False
) -> Interval | None:
    """Return the interval of a share over some seeds; None of fewer than three.

    The share is of those that withstood all of these columns of the outcome matrix.
    """

    def added(point: Point) -> Floats:
        return share_contributions(point.outcomes, columns, conditional=conditional)

    each = [in_order(point, added(point)) for point in points]
    return interval_over_seeds(points, each, bounds_among(points, conditional))


def interval_over_seeds(
    points: Sequence[Point], added: Sequence[Floats], bounds: tuple[float, float]
) -> Interval | None:
    """Return the interval of a mean over seeds and examples, in percent; None of too few seeds."""
    if spoken_of(len(added)) != SEEDS or not same_examples(points):
        return None
    low, high = (float(end) for end in seeds_interval(np.stack(added), bounds))
    return None if np.isnan(low) else Interval(max(low, -100.0), min(high, 100.0), SEEDS)


def bounds_among(points: Sequence[Point], conditional: bool) -> tuple[float, float]:
    """Return the least and the most that an example adds to a share of all examples, or of some."""
    if not conditional:
        return 0.0, 100.0
    right = min(float(withstood(p.outcomes, NATURAL_SEARCHES).mean()) for p in points)
    return (100 - 100 / right, 100 / right) if right else (0.0, 100.0)


def judged_alike(rows: Iterable[Row]) -> bool:
    """Say whether all runs, and the natural runs beside them, were judged on the same examples."""
    return same_examples(run for row in rows for run in (row.point, *row.origin))


def same_examples(points: Iterable[Point]) -> bool:
    """Say whether runs were judged on the same examples, in whatever order."""
    ids = [np.sort(point.outcomes.ids) for point in dict.fromkeys(points)]
    return all(np.array_equal(ids[0], other) for other in ids[1:])


def added_by(rows: Sequence[Row], objectives: Sequence[Objective]) -> Floats:
    """Return what each example adds, (seeds, objectives, examples)."""
    return np.stack([[o.per_example(row) for o in objectives] for row in rows])


def intervals_of(
    added: Sequence[Floats], settings: Sequence[Sequence[Row]], objectives: Sequence[Objective]
) -> Ends:
    """Return the ends of the intervals of several settings' means, (settings, objectives) each.

    `added` has what `added_by` says of each setting's runs. Those of two seeds are NaN.
    """
    alike: dict[tuple[int, float, float], list[tuple[int, int]]] = {}
    for setting, rows in enumerate(settings):
        for place, objective in enumerate(objectives):
            lows, highs = zip(*map(objective.bounds, rows), strict=True)
            alike.setdefault((len(rows), min(lows), max(highs)), []).append((setting, place))
    low, high = (np.empty((len(settings), len(objectives))) for _ in range(2))
    for (_, least, most), pairs in alike.items():  # at once: a call takes longer than an interval
        chosen = tuple(zip(*pairs, strict=True))
        each = np.stack([added[setting][:, place] for setting, place in pairs], 1)
        low[chosen], high[chosen] = seeds_interval(each, (least, most))
    return low, high
