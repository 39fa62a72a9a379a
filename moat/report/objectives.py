"""What a front is of: any of the scores, each with its direction and its fixed reference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from moat.errors import FrontError, did_you_mean
from moat.report.groups import Group
from moat.report.rows import Row
from moat.types import NATURAL


@dataclass(frozen=True)
class Objective:
    """One axis of a front, in percentage points, with its fixed place in the reference point.

    `value` is None where a run has no such score.
    """

    name: str
    value: Callable[[Row], float | None]
    maximised: bool
    reference: float

    @property
    def direction(self) -> str:
        """Which way is better, in a word."""
        return "maximised" if self.maximised else "minimised"


UNIVERSAL = Objective("universal score", attrgetter("universal"), True, 0.0)
SACRIFICED = Objective("sacrificed natural accuracy", attrgetter("sacrificed"), False, 100.0)
TOTAL = Objective("total score", attrgetter("point.total"), True, 0.0)
UNION = Objective("union", attrgetter("point.union"), True, 0.0)
NATURAL_ACCURACY = Objective("natural accuracy", attrgetter("point.natural"), True, 0.0)

SCORES = {
    NATURAL: NATURAL_ACCURACY,
    "total": TOTAL,
    "union": UNION,
    "universal": UNIVERSAL,
    "sacrificed": SACRIFICED,
}


def usual_objectives(rows: Sequence[Row], group: Group) -> tuple[Objective, ...]:
    """Return Figure 7's pair, or total and natural accuracy without a baseline.

    Where a run has no total, as after an evaluation with union_only, union stands in its place.
    """
    if not group.is_whole:
        return UNION, NATURAL_ACCURACY
    return (UNIVERSAL, SACRIFICED) if rows[0].baseline else (TOTAL, NATURAL_ACCURACY)


def named_objectives(
    names: Sequence[str], rows: Sequence[Row], group: Group
) -> tuple[Objective, ...]:
    """Return the objectives that a user named: scores, threats, ensembles.

    Raises FrontError for an unknown one, with the nearest, and for one that a run has no score in.
    """
    known = [*SCORES, *group.scored]
    if len(set(names)) < max(2, len(names)):
        raise FrontError(
            f"a front is of two objectives or more, each named once, not of {', '.join(names)}.",
            where="--objectives",
            hint=f"known: {', '.join(known)}",
        )
    for name in names:
        if name not in known:
            raise FrontError(
                f"no score is called {name!r}.{did_you_mean(name, known)}",
                where="--objectives",
                hint=f"known: {', '.join(known)}",
            )
    chosen = tuple(SCORES.get(name) or _robustness(name) for name in names)
    for objective, name in zip(chosen, names, strict=True):
        if missing := [row.name for row in rows if objective.value(row) is None]:
            raise FrontError(
                f"{_some(missing)} of {group.title} has no {objective.name}: {_why(name)}.",
                where="--objectives",
                hint="Leave it out, or name other objectives: " + ", ".join(known),
            )
    return chosen


def _robustness(name: str) -> Objective:
    return Objective(name, partial(_score, name), True, 0.0)


def _score(name: str, row: Row) -> float | None:
    return row.point.scores[name]


def _why(name: str) -> str:
    if name in ("universal", "sacrificed"):
        return "it is measured against a natural run, and there is none that has what it takes"
    return "not every example was searched (union_only)"


def _some(names: Sequence[str], shown: int = 3) -> str:
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
