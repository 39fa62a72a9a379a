"""The format of numbers in every table; a dash marks an absent one."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

DASH = "-"


def percent(value: float | None) -> str:
    """Return a score with one decimal."""
    return DASH if value is None else f"{value:z.1f}"


def between(mean: float | None, low: float | None, high: float | None) -> str:
    """Return a score with the ends of its interval, where there is one.

    Example:
        >>> between(88.14, 86.02, 89.9), between(88.14, None, None)
        ('88.1 [86.0, 89.9]', '88.1')
    """
    ends = finite(low), finite(high)
    return percent(mean) + ("" if None in ends else f" [{percent(ends[0])}, {percent(ends[1])}]")


def as_printed(value: float | None, decimals: int) -> str:
    """Return a published figure with as many decimals as its table has."""
    return DASH if value is None else f"{value:z.{decimals}f}"


def gap(value: float | None) -> str:
    """Return a difference with its sign."""
    return DASH if value is None else f"{value:+z.1f}"


def duration(seconds: float) -> str:
    """Return a time to be read at a glance.

    Example:
        >>> duration(75), duration(600), duration(7200)
        ('75 s', '10 min', '2.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def estimated_duration(seconds: float | None) -> str:
    """Return a time that was estimated, to two digits.

    Example:
        >>> [estimated_duration(each) for each in (0.2, 77, 150, 5400, 200_000)]
        ['<1 s', '77 s', '2.5 min', '90 min', '56 h']
    """
    if seconds is None:
        return DASH
    if seconds < 1:
        return "<1 s"
    units = (("s", 1), ("min", 60), ("h", 3600), ("days", 86_400))
    unit, size = next((pair for pair in units[:-1] if seconds / pair[1] < 99.5), units[-1])
    amount = seconds / size
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def decimals(values: list[float]) -> int:
    """Return how many decimals write each of these in full, 1 to 4.

    Example:
        >>> decimals([88.06, 90.4, 0.0])
        2
    """
    return min(4, max([1, *(len(repr(value).partition(".")[2]) for value in values)]))


def hour_in(seconds: float) -> str:
    """Return the hour of the clock so many seconds from now, with the day where it is another."""
    now = datetime.now()
    then = now + timedelta(seconds=seconds)
    return then.strftime("%H:%M" if then.date() == now.date() else "%a %d %b, %H:%M")


def finite(value: float | None) -> float | None:
    """Return the number, None where it is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def ascending(values: Iterable[Any]) -> list[tuple[bool, float, str]]:
    """Return a key that sorts numbers by size, and before anything else."""
    return [
        (False, float(value), "") if isinstance(value, int | float) else (True, 0.0, str(value))
        for value in values
    ]
