"""The columns of the outcome matrix: their meaning, and their valid combinations."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from moat.errors import InputError, did_you_mean
from moat.names import NATURAL

STEPS, EPSILON = "steps", "epsilon"


class Column(NamedTuple):
    """One search of one threat; natural images are ("natural", 0).

    `strength` counts iterations (`by` = "steps") or is a radius (`by` = "epsilon"); searches of one
    strength that begin elsewhere are told apart by `restart`.
    """

    threat: str
    strength: float
    restart: int = 0
    by: str = STEPS

    @property
    def written(self) -> str:
        """The strength as it is printed: 10, 0.031."""
        return f"{self.strength:g}"


NATURAL_COLUMN = Column(NATURAL, 0)


def check_columns(columns: Sequence[Column]) -> None:
    """Raise ValueError unless each search is named once and a threat is measured one way."""
    measured: dict[str, str] = {}
    seen: set[tuple[object, ...]] = set()
    for column in columns:
        where = f"{column.threat!r} at strength {column.written}, restart {column.restart}"
        if column.by not in (STEPS, EPSILON):
            raise InputError(f"{where} is by {column.by!r}, and should be by steps or epsilon")
        if not math.isfinite(column.strength) or column.restart < 0:
            raise InputError(f"{where} is not a search")
        if column[:3] in seen:
            raise InputError(f"{where} has two columns")
        if column.threat == NATURAL and column != NATURAL_COLUMN:
            raise InputError(f"{where} has the label of the natural image")
        if measured.setdefault(column.threat, column.by) != column.by:
            raise InputError(f"{column.threat!r} is measured by steps and by epsilon")
        seen.add(column[:3])


def check_ensembles(ensembles: Mapping[str, tuple[str, ...]], threats: Sequence[str]) -> None:
    """Raise ValueError unless ensembles have names of their own and evaluated members."""
    for name, members in ensembles.items():
        if name in (NATURAL, *threats):
            raise InputError(f"the ensemble {name!r} has the label of a threat")
        if not members:
            raise InputError(f"the ensemble {name!r} has no member")
        for member in members:
            if member not in threats:
                raise InputError(
                    f"the ensemble {name!r} is of {member!r}, which was not evaluated."
                    f"{did_you_mean(member, threats)}"
                )
