"""The numbers that set an instrument, checked with the mend."""

import math
from collections.abc import Sequence
from typing import Any, get_args

from moat.errors import InputError, did_you_mean


def require_above_zero(name: str, value: float, *, zero: bool = False) -> None:
    """Raise InputError for a number that is not finite and above 0, or at least 0 with `zero`."""
    if math.isfinite(value) and (value > 0 or (zero and value == 0)):
        return
    bound = "at least 0" if zero else "above 0"
    need = "finite" if value == math.inf else bound
    raise InputError(
        f"{name} is {value!r}, and must be {need}.", hint=f"Take a finite number {bound}."
    )


def require_distinct(what: str, values: Sequence[object], where: str = "") -> None:
    """Raise InputError for a value that is named twice."""
    for place, value in enumerate(values):
        if value in values[:place]:
            raise InputError(
                f"the {what} {value!r} is named twice.", where=where, hint="Name each of them once."
            )


def require_one_of(what: str, value: str, choice: Any) -> None:
    """Raise InputError for a value that is not one of a Literal's."""
    known = get_args(choice)
    if value not in known:
        raise InputError(
            f"no {what} is called {value!r}.{did_you_mean(str(value), known)}",
            hint="Known: " + ", ".join(known),
        )
