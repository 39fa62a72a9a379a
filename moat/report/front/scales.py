"""Symlog axes, and their ticks."""

import math
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

_MINUS = "\N{MINUS SIGN}"


def symlog_threshold(values: NDArray[np.float64]) -> float | None:
    """Return where a symlog axis turns from linear to logarithmic, or None for a linear axis.

    An axis is symlog when a linear one would squeeze half of the values into its inner tenth: when
    the largest magnitude is more than ten times the median one. The median, rounded down to 1, 2
    or 5 times a power of ten, is the threshold; a median below one percentage point counts as
    one, since runs that near differ by a few examples.
    """
    sizes = np.abs(values[values != 0])
    if not sizes.size:
        return None
    median = max(1.0, float(np.median(sizes)))
    if sizes.max() <= 10 * median:
        return None
    power = 10.0 ** math.floor(math.log10(median))
    return max(step * power for step in (1, 2, 5) if step * power <= median)


def symlog_ticks(threshold: float, largest: float) -> list[float]:
    """Return 0, half the threshold, and 1, 2, 5 times each power of ten up to the largest."""
    first = math.floor(math.log10(threshold))
    last = math.ceil(math.log10(largest))
    steps = (1, 2, 5) if last - first <= 4 else (1,)
    sizes = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    sizes = [threshold / 2, *(size for size in sizes if threshold <= size)]
    return sorted([*(-size for size in sizes), 0.0, *sizes])


def set_scale(axes: Any, which: str, values: NDArray[np.float64]) -> str:
    """Make the x or y axis linear or symlog, as its values ask for; return what to say of it."""
    threshold = symlog_threshold(values)
    if threshold is None:
        return ""
    getattr(axes, f"set_{which}scale")("symlog", linthresh=threshold)
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(FixedLocator(symlog_ticks(threshold, float(np.abs(values).max()) * 2)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", _MINUS)))
    return f", logarithmic beyond {threshold:g}"
