"""The objectives of a front: any scores, each with its direction and its fixed reference."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter

import numpy as np

from moat.errors import FrontError, did_you_mean
from moat.fronts import MOST_OBJECTIVES
from moat.fronts.dominance import as_points
from moat.names import NATURAL
from moat.outcomes import bounds_of, contributions, robustness_contributions
from moat.outcomes.intervals import Floats
from moat.report.groups import Group
from moat.report.points import Point, in_order
from moat.report.rows import Row
from moat.report.settings import Setting
from moat.report.words import some

ACCURACY, POINTS = "%", "percentage points"
"""The units of a share of the examples, and of what sums or subtracts shares."""


@dataclass(frozen=True)
class Objective:
    """One axis of a front, in its `unit`, with its fixed place in the reference point.

    `value` is None if a run lacks the score. `per_example` is each test example's contribution to
    it, so that their mean is the value, and `bounds` the smallest and largest contribution.
    """

    name: str
    value: Callable[[Row], float | None]
    maximised: bool
    reference: float
    per_example: Callable[[Row], Floats]
    bounds: Callable[[Row], tuple[float, float]]
    unit: str = ACCURACY

    @property
    def direction(self) -> str:
        """The better direction, in a word."""
        return "maximised" if self.maximised else "minimised"

    @property
    def better(self) -> str:
        """Its unit and the better direction, for an axis."""
        return f"{self.unit}, {'higher' if self.maximised else 'lower'} is better"


def _of(score: str, point: Point) -> Floats:
    """Return what each example adds to a score of a run, in the order of the examples' ids."""
    return in_order(point, contributions(point.outcomes, score, summed=point.protocol.summed))


@lru_cache(maxsize=64)  # one origin serves many runs
def _mean_of(score: str, points: tuple[Point, ...]) -> Floats:
    return np.asarray(np.mean([_of(score, point) for point in points], axis=0))


def _plain(score: str, row: Row) -> Floats:
    return _of(score, row.point)


def _gained(row: Row) -> Floats:
    return np.asarray(_of("total", row.point) - _mean_of("total", row.origin))


def _lost(row: Row) -> Floats:
    return np.asarray(_mean_of(NATURAL, row.origin) - _of(NATURAL, row.point))


def _bounds(score: str, row: Row) -> tuple[float, float]:
    return bounds_of(score, row.point.protocol.summed)


def _bounds_between(score: str, row: Row) -> tuple[float, float]:
    """Return by how much an example can set a run apart from its origin: not at all from itself."""
    _, most = _bounds(score, row)
    return (0.0, 0.0) if row.origin == (row.point,) else (-most, most)


def _score(name: str, row: Row) -> float | None:
    return row.point.scores[name]


def _robust(name: str, row: Row) -> Floats:
    return in_order(row.point, robustness_contributions(row.point.outcomes, name))


def _in_percent(row: Row) -> tuple[float, float]:
    return 0.0, 100.0


def robustness(name: str) -> Objective:
    """Return the objective of a threat or an ensemble, whatever it is called."""
    return Objective(name, partial(_score, name), True, 0.0, partial(_robust, name), _in_percent)


def _point(title: str, name: str, unit: str = ACCURACY) -> Objective:
    each, bounds = partial(_plain, name), partial(_bounds, name)
    return Objective(title, attrgetter(f"point.{name}"), True, 0.0, each, bounds, unit)


UNIVERSAL = Objective(
    name="universal score",
    value=attrgetter("universal"),
    maximised=True,
    reference=0.0,
    per_example=_gained,
    bounds=partial(_bounds_between, "total"),
    unit=POINTS,
)
SACRIFICED = Objective(
    name="sacrificed natural accuracy",
    value=attrgetter("sacrificed"),
    maximised=False,
    reference=100.0,
    per_example=_lost,
    bounds=partial(_bounds_between, NATURAL),
    unit=POINTS,
)
TOTAL = _point("total score", "total", POINTS)
UNION = _point("union", "union")
NATURAL_ACCURACY = _point("natural accuracy", NATURAL)

OUT_OF_REACH = "r out of reach"
"""The column beside a run's scores: the share of its steps whose r no weights could reach."""
SCORES = {
    NATURAL: NATURAL_ACCURACY,
    "total": TOTAL,
    "union": UNION,
    "universal": UNIVERSAL,
    "sacrificed": SACRIFICED,
}


def threat_title(name: str) -> str:
    """Return how a threat or an ensemble is called among other scores: that it is one, of "union".

    Example:
        >>> threat_title("pgd"), threat_title("union")
        ('pgd', 'union (threat)')
    """
    return f"{name} (threat)" if name in (*SCORES, OUT_OF_REACH) else name


def usual_objectives(settings: Sequence[Setting], group: Group) -> tuple[Objective, ...]:
    """Return Figure 7's pair, or total and natural accuracy without a baseline.

    Where a run has no total, as after an evaluation with union_only, union stands in its place.
    FrontError where no threat was evaluated.
    """
    if not group.protocol.threats:
        raise FrontError(
            f"no threat was evaluated on {group.title}: natural accuracy alone is not a front.",
            hint="Give threats the key `evaluate` in the recipe, or evaluate the runs under a "
            "protocol: `moat evaluate RESULTS --protocol FILE`. `moat report` shows the scores.",
        )
    if not group.is_whole:
        return UNION, NATURAL_ACCURACY
    based = settings[0].rows[0].baseline
    return (UNIVERSAL, SACRIFICED) if based else (TOTAL, NATURAL_ACCURACY)


def named_objectives(
    names: Sequence[str], settings: Sequence[Setting], group: Group
) -> tuple[Objective, ...]:
    """Return the objectives that a user named: scores, threats, ensembles.

    Raises FrontError for an unknown one, with the nearest, and for one that a run has no score in.
    """
    known = [*SCORES, *map(threat_title, group.scored)]
    if len(set(names)) < max(2, len(names)):
        raise FrontError(
            f"a front needs two objectives or more, each named once, not {', '.join(names)}.",
            where="objectives",
            hint=f"known: {', '.join(known)}",
        )
    if len(names) > MOST_OBJECTIVES:
        raise FrontError(
            f"a front takes at most {MOST_OBJECTIVES} objectives, not {len(names)}.",
            where="objectives",
            hint="Name fewer, or an ensemble instead of several threats.",
        )
    require_scores(names, known, "objectives")
    chosen = tuple(objective_of(name) for name in names)
    for objective, name in zip(chosen, names, strict=True):
        if missing := [
            setting.name for setting in settings if setting.mean(objective.value) is None
        ]:
            raise FrontError(
                f"{some(missing)} of {group.title} has no {objective.name}: {_why(name)}.",
                where="objectives",
                hint="Leave it out, or name other objectives: " + ", ".join(known),
            )
    return chosen


def require_scores(names: Sequence[str], known: Sequence[str], argument: str) -> None:
    """Raise FrontError for the first name that is not a score, with the nearest."""
    for name in names:
        if name not in known:
            raise FrontError(
                f"no score is called {name!r}.{did_you_mean(name, known)}",
                where=argument,
                hint=f"known: {', '.join(known)}",
            )


def objective_of(name: str) -> Objective:
    """Return the objective of a score, or of a threat or an ensemble by its title."""
    threat = name.removesuffix(" (threat)")
    return SCORES.get(name) or robustness(threat if threat_title(threat) == name else name)


def corner(objectives: Sequence[Objective]) -> list[float]:
    """Return the fixed reference point, as what is minimised."""
    return [-o.reference if o.maximised else o.reference for o in objectives]


SCORE_DIGITS = 6
"""Decimals of a score that count: sums in another order differ by less, examples by more."""


def values_of(rows: Iterable[Setting | Row], objectives: Sequence[Objective]) -> Floats:
    """Return the objectives of settings or runs as they are shown, NaN where one is absent.

    Rounded, so that equal counts of examples are equal scores: else the last bits of a sum would
    decide which run dominates.
    """
    found = [
        [row.mean(o.value) if isinstance(row, Setting) else o.value(row) for o in objectives]
        for row in rows
    ]
    return np.array(found, dtype=float).round(SCORE_DIGITS) + 0.0  # no -0


def minimised(
    settings: Sequence[Setting] | Sequence[Row], objectives: Sequence[Objective]
) -> Floats:
    """Return the finite points that moat.fronts takes, what is maximised negated."""
    shown = values_of(settings, objectives) * signs_of(objectives)
    return as_points(shown, [setting.name for setting in settings])


def signs_of(objectives: Sequence[Objective]) -> Floats:
    """Return what turns objectives as they are shown into what is minimised."""
    return np.array([-1.0 if objective.maximised else 1.0 for objective in objectives])


def _why(name: str) -> str:
    if name in ("universal", "sacrificed"):
        return "it needs a natural run with the same scores"
    return "not every example was searched (union_only)"
