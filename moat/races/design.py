"""The design of a race: its looks, level, margin and test, fixed before the first run."""

import math
from dataclasses import dataclass

from moat.errors import InputError
from moat.public import public

_FEWEST, _MOST = 2, 200
"""The fewest seeds of a look, since one has no spread, and the most seeds of a race."""


@public
@dataclass(frozen=True)
class Design:
    """The rule of stopping: a look after each seed from the `first` to the `last`.

    `level` is the chance of a wrong "better" or "worse" in the whole race, over all looks and all
    rules. `margin` is the smallest difference that matters, in points of the score. `exact` tests
    by sign flips, without the assumption of normal differences. Raises InputError for values
    outside their range.

    Example:
        >>> list(Design(first=3, last=5).looks)
        [3, 4, 5]
    """

    first: int = 3
    last: int = 12
    level: float = 0.05
    margin: float = 0.0
    exact: bool = False

    def __post_init__(self) -> None:
        for name in ("first", "last"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise InputError(
                    f"{value!r} is not a number of seeds.",
                    where=name,
                    hint="Write a whole number, such as 3.",
                )
        if not _FEWEST <= self.first <= self.last <= _MOST:
            raise InputError(
                f"looks after {self.first} to {self.last} seeds are not a race: the first needs "
                f"{_FEWEST} seeds or more, the last no fewer than the first and at most {_MOST:,}.",
                where="seeds",
                hint="Write 3..12: looks after 3, 4, ... 12 seeds.",
            )
        if not 0 < self.level <= 0.5:
            raise InputError(
                f"{self.level:g} is not a level: it is the chance of a wrong verdict, above 0 and "
                "at most 0.5.",
                where="level",
                hint="0.05 is usual.",
            )
        if not 0 <= self.margin < math.inf:
            raise InputError(
                f"{self.margin:g} is not a margin: it is the smallest difference that matters, "
                "finite and at least 0.",
                where="margin",
                hint="Write margin 2 for two points of the score.",
            )

    @property
    def looks(self) -> range:
        """The number of seeds at each look."""
        return range(self.first, self.last + 1)
