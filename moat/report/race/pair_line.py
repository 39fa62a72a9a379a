"""A pair of rules at a look, as one sentence: verdict, seeds and interval."""

import math

from moat.races import PairAtLook


def pair_line(pair: PairAtLook) -> str:
    """Return the sentence of a rule and the rule that it was compared with."""
    return (
        f"{pair.rule} against {pair.against}: {pair.verdict} after {pair.seeds} seeds, "
        f"{interval_text(pair)}"
    )


def interval_text(pair: PairAtLook) -> str:
    """Return a difference and its interval, where there is one.

    Example:
        >>> interval_text(PairAtLook("a", "b", 3, 1.25, -0.5, 3.0, 0.1))
        '+1.25 [-0.50, +3.00]'
    """
    mean, low, high = (f"{value:+z.2f}" for value in (pair.difference, pair.low, pair.high))
    return mean if math.isinf(pair.low) or math.isinf(pair.high) else f"{mean} [{low}, {high}]"
