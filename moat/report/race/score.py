"""The score of a race: a column of the front, or the hypervolume of a rule's points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moat.errors import FrontError
from moat.fronts import hypervolume
from moat.names import NATURAL
from moat.outcomes import bounds_of, resampling_weights
from moat.outcomes.intervals import Floats
from moat.report.front.objectives import (
    Objective,
    corner,
    minimised,
    objective_of,
    require_scores,
    signs_of,
)
from moat.report.rows import Row

HYPERVOLUME = "hypervolume"
_DRAWS = 200
"""Resamples of the test examples for the floor of a hypervolume."""


@dataclass(frozen=True)
class RaceScore:
    """One number a rule and seed, in points, and the share of test examples in its error.

    A hypervolume is in percent of the box from the `reference` to the best possible values of the
    `objectives`; the reference is that of the front where none is given.
    """

    name: str
    objectives: tuple[str, ...] = ()
    reference: tuple[float, ...] = ()

    @property
    def is_hypervolume(self) -> bool:
        """Whether it is of a set of points, and not of one run."""
        return self.name == HYPERVOLUME

    @property
    def title(self) -> str:
        """Its name, the unit and the better direction."""
        if self.is_hypervolume:
            among = " and ".join(objective.name for objective in self._axes)
            return f"hypervolume in {among}, % of the box, higher is better"
        (axis,) = self._axes
        return f"{axis.name} ({axis.better})"

    @property
    def sign(self) -> float:
        """The factor that makes a higher score the better one."""
        return 1.0 if self.is_hypervolume or self._axes[0].maximised else -1.0

    @property
    def _axes(self) -> list[Objective]:
        return [objective_of(name) for name in self.objectives or (self.name,)]

    @property
    def _corner(self) -> Floats:
        """The reference point, minimised."""
        if not self.reference:
            return np.array(corner(self._axes))
        return np.array(self.reference) * signs_of(self._axes)

    def value(self, rows: Sequence[Row]) -> float:
        """Return the score of a rule's runs of one seed; FrontError where a run has none."""
        for row in rows:
            for axis in self._axes:
                if _known(axis, row) is None:
                    raise FrontError(
                        f"{row.point.place} has no {axis.name}, so it cannot race for it.",
                        hint="Race for natural or union, which every run has.",
                    )
        if not self.is_hypervolume:
            return float(self._axes[0].value(rows[0]) or 0.0)
        return 100 * hypervolume(minimised(rows, self._axes), self._corner) / self._box(rows[0])

    def _box(self, row: Row) -> float:
        bounds = [axis.bounds(row) for axis in self._axes]
        best = [
            -most if axis.maximised else least
            for axis, (least, most) in zip(self._axes, bounds, strict=True)
        ]
        return float(np.prod(self._corner - np.array(best)))

    def each(self, rows: Sequence[Row]) -> Floats:
        """Return what each test example contributes to the score, better the higher it is.

        Of a hypervolume it is the score in each resample of the test examples.
        """
        if not self.is_hypervolume:
            return self.sign * self._axes[0].per_example(rows[0])
        added = np.stack([[axis.per_example(row) for axis in self._axes] for row in rows])
        weights = resampling_weights(added.shape[-1], _DRAWS).astype(np.float64)
        points = np.einsum("de,rae->dra", weights, added) * signs_of(self._axes)
        box = self._box(rows[0])
        return np.array([100 * hypervolume(one, self._corner) / box for one in points])


def require_race_score(score: RaceScore, known: Sequence[str], summed: Sequence[str] = ()) -> None:
    """Raise FrontError for a score, objectives or a reference that no race can have.

    `summed` are the threats of the total score.
    """
    require_scores([score.name], [*known, HYPERVOLUME], "score")
    if not score.is_hypervolume:
        if score.objectives or score.reference:
            raise FrontError(
                f"objectives and a reference belong to a hypervolume, not to {score.name}.",
                where="objectives",
                hint=f"Leave them out, or name the score {HYPERVOLUME}.",
            )
        return
    require_scores(score.objectives, known, "objectives")
    if len(set(score.objectives)) < max(2, len(score.objectives)):
        raise FrontError(
            "a hypervolume needs two objectives or more, each named once.",
            where="objectives",
            hint="natural,total, say.",
        )
    if score.reference and len(score.reference) != len(score.objectives):
        raise FrontError(
            f"the reference needs a number for each of {len(score.objectives)} objectives, and it "
            f"has {len(score.reference)}.",
            where="reference",
            hint="Give a number for each: 80,0.",
        )
    for name, value in zip(score.objectives, score.reference, strict=False):
        _require_room(name, value, summed)


def _require_room(name: str, value: float, summed: Sequence[str]) -> None:
    """Raise FrontError for a reference that no run can be better than."""
    axis = objective_of(name)
    of_total = name in ("total", "universal")
    most = bounds_of("total" if of_total else NATURAL, summed)[1]
    best, word = (most, "at most") if axis.maximised else (-most, "at least")
    if not math.isfinite(value):
        raise FrontError(
            f"the reference of {axis.name} is {value:g}, which is not finite.",
            where="reference",
            hint="Give a finite number for each objective: 80,0.",
        )
    if (value >= best) if axis.maximised else (value <= best):
        raise FrontError(
            f"the box is empty: the reference of {axis.name} is {value:g}, but {axis.name} is "
            f"{word} {best:g}.",
            where="reference",
            hint=f"Give the worst {axis.name} that counts. Without a reference it is "
            f"{axis.reference:g}.",
        )


def _known(axis: Objective, row: Row) -> float | None:
    """Return a score of a run, None where it has none: its protocol lacks the threat, say."""
    try:
        return axis.value(row)
    except KeyError:
        return None
