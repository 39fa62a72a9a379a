"""The looks of a race, recomputed from the scores: verdicts, and the rules that go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from moat.errors import InputError, did_you_mean
from moat.public import public
from moat.races.design import Design
from moat.races.grid import least_deviation
from moat.races.pairs import WITHIN, WORSE, PairAtLook, pair_at_look

Scores = Mapping[str, Sequence[float]]
"""The scores of each rule, a seed after the other, higher is better; shorter of one that is out."""


@public
@dataclass(frozen=True)
class RaceAtLook:
    """A race after some seeds: each rule against the baseline or the leader, and those that go on.

    `pairs` are those of the rules that this look compares; `racing` train the next seed, none when
    the race is over.
    """

    seeds: int
    against: str
    pairs: tuple[PairAtLook, ...]
    racing: tuple[str, ...]

    @property
    def is_last(self) -> bool:
        """Whether the race ends here."""
        return not self.racing


@public
def race_looks(scores: Scores, design: Design, baseline: str = "") -> list[RaceAtLook]:
    """Return the looks that the scores suffice for, the last one where the race is decided.

    With a `baseline` each rule is compared with it, and one that is decided is out. Without one
    each rule is compared with the leader, the one of the highest mean so far; one that is worse is
    out, and the race ends when the others are within the margin of the leader. Holm's procedure
    holds the level over the rules within each look: over those that are compared with the baseline,
    and without one over all pairs, since any rule may come to lead. Scores that
    are multiples of a step, as shares of test images are, tie at times: the deviation of their
    differences is at least that of rounding to this step, step / sqrt(12).

    Example:
        >>> scores = {"a": [50.0, 51.0, 49.0], "b": [60.0, 61.5, 59.0], "c": [50.0, 52.0, 48.0]}
        >>> race_looks(scores, Design(first=3, last=4), "a")[0].racing  # b is out: it is better
        ('a', 'c')

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979; Ye et al., A group
    sequential Holm procedure with multiple primary endpoints, 2013.
    """
    names = tuple(scores)
    if len(names) < 2:
        raise InputError("a race needs two rules or more.", hint="Name another rule.")
    if baseline and baseline not in scores:
        raise InputError(
            f"no rule is called {baseline!r}.{did_you_mean(baseline, names)}",
            where="baseline",
            hint=f"known: {', '.join(names)}",
        )
    for name, values in scores.items():
        if np.asarray(values).dtype.kind not in "fiu" and len(values):
            raise InputError(
                f"the scores of {name!r} are not numbers: {values!r}.",
                where="scores",
                hint="Give a number for each seed.",
            )
        if not np.isfinite(np.asarray(values, dtype=np.float64)).all():
            raise InputError(
                f"the scores of {name!r} have a value that is not finite.",
                where="scores",
                hint="Give a finite number for each seed; leave out a run without a score.",
            )
    race = _Race(scores, design, baseline)
    found: list[RaceAtLook] = []
    for seeds in design.looks:
        if any(len(scores[name]) < seeds for name in race.racing):
            break
        found.append(race.look(seeds))
        if found[-1].is_last:
            break
    return found


@dataclass
class _Race:
    """The decisions so far."""

    scores: Scores
    design: Design
    baseline: str
    racing: list[str] = field(init=False)
    undecided: list[tuple[str, str]] = field(init=False)
    verdicts: dict[tuple[str, str], PairAtLook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.racing = list(self.scores)
        pairs = list(combinations(self.racing, 2))
        others = [name for name in self.racing if name != self.baseline]
        self.undecided = [(name, self.baseline) for name in others] if self.baseline else pairs

    def look(self, seeds: int) -> RaceAtLook:
        """Decide what can be decided after some seeds."""
        at_look = self._holm(seeds)
        against = self.baseline or self._leader(seeds)
        compared = [name for name in self.racing if name != against]
        pairs = tuple(self._shown(name, against, at_look) for name in compared)
        going = [pair.rule for pair in pairs if pair.is_open]
        if going and not self.baseline:  # rules within this leader's margin may meet another
            going = [pair.rule for pair in pairs if pair.verdict != WORSE]
        staying = {against, *going} if going and seeds < self.design.last else set[str]()
        self.racing = [name for name in self.racing if name in staying]
        return RaceAtLook(seeds, against, pairs, tuple(self.racing))

    def _leader(self, seeds: int) -> str:
        """Return the rule of the highest mean among those that no other is better than."""
        unbeaten = [name for name in self.racing if not self._beaten_by(name)] or self.racing
        means = [float(np.mean(self.scores[name][:seeds])) for name in unbeaten]
        return unbeaten[int(np.argmax(means))]

    def _beaten_by(self, name: str) -> list[PairAtLook]:
        """Return the decided pairs in which a rule is worse than one that still races."""
        pairs = [pair for pair in self.verdicts.values() if name in (pair.rule, pair.against)]
        seen = [pair if pair.rule == name else pair.turned for pair in pairs]
        return [pair for pair in seen if pair.verdict == WORSE and pair.against in self.racing]

    def _shown(
        self, name: str, against: str, at_look: Mapping[tuple[str, str], PairAtLook]
    ) -> PairAtLook:
        """Return a rule's pair with the leader or the baseline, or with a rule that beats it."""
        known = {**self.verdicts, **at_look}
        pair = known[name, against] if (name, against) in known else known[against, name].turned
        beaten = [] if self.baseline else self._beaten_by(name)
        return beaten[0] if beaten and pair.verdict != WORSE else pair

    def _holm(self, seeds: int) -> dict[tuple[str, str], PairAtLook]:
        """Decide the pairs in the order of their p, each with the level that its rank leaves.

        "No difference" and "a difference beyond the margin" are two families of hypotheses: each
        has the whole level, shared by the pairs in which it is not rejected. A pair that is no
        longer compared keeps its share.
        """
        found: dict[tuple[str, str], PairAtLook] = {}
        while True:
            present = [pair for pair in self.undecided if {*pair} <= {*self.racing}]
            found |= {pair: self._at(pair, seeds) for pair in present}
            decided = [pair for pair in present if not found[pair].is_open]
            if not decided:
                return found
            first = min(decided, key=lambda pair: (found[pair].verdict == WITHIN, found[pair].p))
            self.verdicts[first] = found[first]
            self.undecided.remove(first)

    def _at(self, pair: tuple[str, str], seeds: int) -> PairAtLook:
        one, other = (np.asarray(self.scores[name][:seeds], dtype=np.float64) for name in pair)
        pairs, within = len(self.verdicts) + len(self.undecided), self._count_within()
        apart = len(self.verdicts) - within
        level, level_within = (
            self.design.level / max(pairs - decided, 1) for decided in (apart, within)
        )
        return pair_at_look(
            pair,
            (one - other).tolist(),
            self.design,
            level,
            level_within,
            least_deviation=self._least_deviation(seeds),
        )

    def _least_deviation(self, seeds: int) -> float:
        """Return the deviation of rounding, from the scores of all rules up to this look."""
        return least_deviation(value for of in self.scores.values() for value in of[:seeds])

    def _count_within(self) -> int:
        return sum(pair.verdict == WITHIN for pair in self.verdicts.values())


@public
def verdicts_of(looks: Sequence[RaceAtLook]) -> dict[str, PairAtLook]:
    """Return for each rule the pair of the last look that compared it, in order of the looks.

    Example:
        >>> race = race_looks({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}, Design(margin=2), "a")
        >>> verdicts_of(race)["b"].verdict
        'within the margin'
    """
    last: dict[str, PairAtLook] = {}
    for look in looks:
        last |= {pair.rule: pair for pair in look.pairs}
        last.pop(look.against, None)
    return last
