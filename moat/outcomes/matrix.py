"""The outcome matrix: the outcome of each example under each search.

A column is one search. Scores look at strengths: an example withstands a strength of a threat
where it withstands every restart of it, and, of several radii, where it fell at no smaller one,
whatever was entered at the larger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.errors import InputError, UnsearchedError, did_you_mean
from moat.outcomes.columns import (
    EPSILON,
    NATURAL_COLUMN,
    Column,
    check_columns,
    check_ensembles,
)
from moat.public import public

WITHSTOOD, FELL, NOT_SEARCHED = 1, 0, -1


@public
@dataclass(frozen=True, eq=False)
class Outcomes:
    """An int8 matrix of shape (examples, columns): 1 withstood, 0 fell, −1 not searched.

    The first column is always the natural image. `ids` gives the examples' positions in their data
    set, so that runs can be compared example by example. `losses` has the shape of `values` and
    holds the loss at the best iterate of each search, up to the fall of an example that left there;
    NaN without a search. `ensembles` name several threats that search one perturbation set:
    together they are one threat of one strength, which an example withstands if it withstands all
    of them.
    """

    values: NDArray[np.int8]
    columns: tuple[Column, ...]
    ids: NDArray[np.int64]
    losses: NDArray[np.float32] | None = None
    ensembles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = {"outcomes": self.values.shape}
        if self.losses is not None:
            shapes["losses"] = self.losses.shape
        for name, shape in shapes.items():
            if shape != (len(self.ids), len(self.columns)):
                raise InputError(
                    f"{name} of shape {shape} for {len(self.ids)} examples and "
                    f"{len(self.columns)} columns"
                )
        if not self.columns or self.columns[0] != NATURAL_COLUMN:
            raise InputError("the first column of outcomes is the natural image")
        check_columns(self.columns)
        check_ensembles(self.ensembles, self.threats)

    def at(self, ids: NDArray[np.int64]) -> "Outcomes":
        """Return the outcomes of the examples with these ids, in their order."""
        order = np.argsort(self.ids, kind="stable")
        places = order[np.searchsorted(self.ids, ids, sorter=order)]
        losses = None if self.losses is None else self.losses[places]
        return replace(self, values=self.values[places], ids=self.ids[places], losses=losses)

    @property
    def threats(self) -> tuple[str, ...]:
        """The labels of the evaluated threats, in their order."""
        return tuple(dict.fromkeys(column.threat for column in self.columns[1:]))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name with a score: the threats, then the ensembles."""
        return (*self.threats, *self.ensembles)

    def of(self, name: str) -> list[Column]:
        """Return a column for each strength of a threat, or of all members of an ensemble.

        The first restart represents its strength. Raises MoatError with the name for a threat that
        was not evaluated.
        """
        members = self.ensembles.get(name, (name,))
        columns = [column for column in self.columns if column.threat in members]
        if not columns:
            raise InputError(
                f"the threat {name!r} was not evaluated.{did_you_mean(name, self.names)}",
                hint=f"evaluated: {', '.join(self.names) or 'none'}",
            )
        first: dict[tuple[object, ...], Column] = {}
        for column in columns:
            first.setdefault(column[:2], column)
        return list(first.values())

    def restarts(self, column: Column) -> list[int]:
        """Return the places of all restarts of a column's strength; MoatError where it has none."""
        places = [n for n, other in enumerate(self.columns) if other[:2] == column[:2]]
        if not places:
            known = ", ".join(other.written for other in self.of(column.threat))
            raise InputError(
                f"{column.threat!r} was not evaluated at strength {column.written}.",
                hint=f"evaluated at: {known}",
            )
        return places

    def verdict(self, column: Column) -> NDArray[np.int8]:
        """Return the outcome of each example at a column's strength, over all its restarts."""
        if column not in self._verdicts:
            verdict = self._verdict(column)
            verdict.flags.writeable = False  # it is kept
            self._verdicts[column] = verdict
        return self._verdicts[column]

    @cached_property
    def _is_whole(self) -> bool:
        """Whether every search was made on every example."""
        return not (self.values == NOT_SEARCHED).any()

    @cached_property
    def _verdicts(self) -> dict[Column, NDArray[np.int8]]:
        """The outcomes by column, which every score needs."""
        return {}

    def _verdict(self, column: Column) -> NDArray[np.int8]:
        places = self.restarts(column)
        if len(places) == 1 and self.columns[places[0]].by != EPSILON:
            return self.values[:, places[0]].view()  # one search decides it
        picked = self.values[:, places]
        verdict = np.where((picked == NOT_SEARCHED).any(1), NOT_SEARCHED, WITHSTOOD)
        if self.columns[places[0]].by == EPSILON:
            places = [
                place
                for place, other in enumerate(self.columns)
                if other.threat == column.threat and other.strength <= column.strength
            ]
        verdict[(self.values[:, places] == FELL).any(1)] = FELL
        return verdict.astype(np.int8)

    def withstood(
        self, columns: Sequence[Column], among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Return which examples withstood all of these strengths; `among` picks some examples.

        An example that fell at any of them did not, whatever else was searched. Raises
        UnsearchedError, by name, if the outcome of another was needed and not searched.
        """
        if self._is_whole:
            held = self.verdict(columns[0]) == WITHSTOOD
            for column in columns[1:]:
                held &= self.verdict(column) == WITHSTOOD
            return np.asarray(held if among is None else held[among])
        verdicts = np.stack([self.verdict(column) for column in columns], 1)
        rows = np.flatnonzero(np.ones(len(self.ids)) if among is None else among)
        fell = (verdicts[rows] == FELL).any(1)
        gaps = (verdicts[rows] == NOT_SEARCHED) & ~fell[:, None]
        if gaps.any():
            place = int(gaps.any(0).argmax())
            raise self._unsearched(columns[place], rows[gaps[:, place]])
        return np.asarray(~fell)

    def _unsearched(self, column: Column, rows: NDArray[np.intp]) -> UnsearchedError:
        """Return the error that names a strength, and its restart where others are complete."""
        places = self.restarts(column)
        missing = (self.values[rows][:, places] == NOT_SEARCHED).any(0)
        restart = self.columns[places[int(missing.argmax())]].restart
        which = "" if missing.all() else f", restart {restart}"
        return UnsearchedError(
            f"{column.threat!r} at strength {column.written}{which} was not searched for every "
            "example, so it has no score.",
            hint="An evaluation with union_only drops an example at its first fall; its union has "
            "a score.",
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays without Python objects; `from_arrays` takes them back.

        `ensembles` and `members` pair each ensemble with each of its threats.
        """
        threats, strengths, restarts, by = zip(*self.columns, strict=True)
        pairs = [(name, each) for name, members in self.ensembles.items() for each in members]
        arrays: dict[str, NDArray[Any]] = {
            "outcomes": self.values,
            "ids": self.ids,
            "threats": np.array(threats),
            "strengths": np.array(strengths, dtype=np.float64),
            "restarts": np.array(restarts, dtype=np.int64),
            "by": np.array(by),
        }
        if self.losses is not None:
            arrays["losses"] = self.losses
        if pairs:
            arrays["ensembles"] = np.array([name for name, _ in pairs])
            arrays["members"] = np.array([member for _, member in pairs])
        return arrays
