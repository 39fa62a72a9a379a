"""Two rules at one look: the paired difference, its interval, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from moat.public import public
from moat.races.design import Design
from moat.races.differences import paired
from moat.races.flips import flip_probability, flips_reject
from moat.races.levels import nominal_level, t_interval, t_probabilities

PairVerdict = Literal["better", "worse", "within the margin", "open"]
BETTER: Final = "better"
WORSE: Final = "worse"
WITHIN: Final = "within the margin"
UNDECIDED: Final = "open"

_STEPS = 30  # halvings of the search for an end of an interval


@public
@dataclass(frozen=True)
class PairAtLook:
    """A rule beside another after some seeds: the difference, and what is decided about it.

    `low` and `high` are the ends of the interval at the level of the look: 0 outside it is "better"
    or "worse", all of it within the margin is "within the margin". They are infinite as long as no
    number of sign flips can decide. `p` is that of this look alone.
    """

    rule: str
    against: str
    seeds: int
    difference: float
    low: float
    high: float
    p: float
    verdict: PairVerdict = UNDECIDED

    @property
    def is_open(self) -> bool:
        """Whether nothing is decided."""
        return self.verdict == UNDECIDED

    @property
    def turned(self) -> "PairAtLook":
        """The same pair, seen from the other rule."""
        verdicts: dict[PairVerdict, PairVerdict] = {BETTER: WORSE, WORSE: BETTER}
        return replace(
            self,
            rule=self.against,
            against=self.rule,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
            verdict=verdicts.get(self.verdict, self.verdict),
        )


@public
def pair_at_look(
    names: tuple[str, str],
    differences: Sequence[float],
    design: Design,
    level: float,
    level_within: float | None = None,
    *,
    least_deviation: float = 0.0,
) -> PairAtLook:
    """Return what the paired differences of a rule and another say at this level of the whole race.

    An interval within the margin is said first: there a difference is too small to matter, whether
    it is 0 or not. No interval lies within a margin of 0: a difference of 0 cannot be shown.
    `level_within` is its level, where it is another. Student's t takes `least_deviation` for the
    deviation of the differences where theirs is smaller. Raises InputError for fewer than two
    differences, or for one that is not finite.

    Example:
        >>> pair_at_look(("a", "b"), [3.0, 4.0, 3.5], Design(margin=2.0), 0.05).verdict
        'better'
        >>> pair_at_look(("a", "b"), [0.1, -0.1, 0.0], Design(margin=2.0), 0.05).verdict
        'within the margin'
    """
    each = paired(differences, fewest=2)
    within = level if level_within is None else level_within
    if design.exact:
        return _by_flips(names, each, design, level, within)
    nominal = nominal_level(design.first, design.last, level)
    mean, low, high = t_interval(each, nominal, least_deviation=least_deviation)
    p = float(t_probabilities(each, len(each), least_deviation=least_deviation)[-1])
    verdict: PairVerdict = UNDECIDED
    at_margin = nominal_level(design.first, design.last, within)
    ends = t_interval(each, at_margin, least_deviation=least_deviation)[1:]
    if design.margin and -design.margin <= ends[0] and ends[1] <= design.margin:
        verdict, (low, high) = WITHIN, ends
    elif p < nominal:
        verdict = BETTER if mean > 0 else WORSE
    return PairAtLook(names[0], names[1], len(each), mean, low, high, p, verdict)


def _by_flips(
    names: tuple[str, str], each: np.ndarray, design: Design, level: float, within: float
) -> PairAtLook:
    mean = float(each.mean())
    low, high = (_end(each, design, level, sign) for sign in (-1, 1))
    verdict: PairVerdict = UNDECIDED
    if _is_within(each, design, within):
        verdict = WITHIN
    elif flips_reject(each, design, level):
        verdict = BETTER if mean > 0 else WORSE
    return PairAtLook(
        names[0], names[1], len(each), mean, low, high, flip_probability(each), verdict
    )


def _is_within(each: np.ndarray, design: Design, level: float) -> bool:
    """Say whether one-sided tests reject both differences beyond the margin."""
    if not design.margin:
        return False
    if not each.any():
        return True  # no difference in any seed: no flip changes a sum of zeros
    return all(
        flips_reject(design.margin + sign * each, design, level / 2, one_sided=True)
        for sign in (-1, 1)
    )


def _end(each: np.ndarray, design: Design, level: float, sign: int) -> float:
    """Return an end of the interval: the difference nearest to the mean that is rejected."""
    mean, near = float(each.mean()), 0.0
    if not each.any():
        return 0.0
    far = float(np.ptp(each)) + abs(mean) + 1.0

    def rejected(reach: float) -> bool:
        return flips_reject(sign * (mean - each) + reach, design, level / 2, one_sided=True)

    if not rejected(far):
        return sign * float("inf")
    for _ in range(_STEPS):
        middle = (near + far) / 2
        near, far = (near, middle) if rejected(middle) else (middle, far)
    return mean + sign * far
