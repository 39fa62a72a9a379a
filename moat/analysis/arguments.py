"""The numbers that set an instrument, checked with the mend."""

from typing import Any, get_args

from moat.errors import InputError, did_you_mean


def require_above_zero(name: str, value: float, *, zero: bool = False) -> None:
    """Raise InputError for a number that is not above 0, or not at least 0 if `zero` may be."""
    if value > 0 or (zero and value == 0):
        return
    bound = "at least 0" if zero else "above 0"
    raise InputError(f"{name} is {value!r}, and must be {bound}.", hint=f"Give another {name}.")


def require_one_of(what: str, value: str, choice: Any) -> None:
    """Raise InputError for a value that is not one of a Literal's."""
    known = get_args(choice)
    if value not in known:
        raise InputError(
            f"no {what} is called {value!r}.{did_you_mean(str(value), known)}",
            hint="Known: " + ", ".join(known),
        )
