"""The largest cost of a search for each example: forwards and backwards of the network."""

from typing import NamedTuple

from moat.losses import TARGETED
from moat.public import public
from moat.threats.autoattack import AutoAttack
from moat.threats.base import Threat
from moat.threats.gradient import GradientThreat
from moat.threats.joint import SearchedThreat

AROUND = 5  # forwards of AutoAttack beside the steps of a restart or target, at most


class Spent(NamedTuple):
    """Forwards and backwards an example.

    Example:
        >>> str(Spent(7, 7)), str(Spent(4, 1)), Spent(4, 1).plus(Spent(1, 0), times=3)
        ('7', '4/1', Spent(forwards=7, backwards=1))
    """

    forwards: float = 0  # whole, but where it is an expectation
    backwards: float = 0

    def plus(self, other: "Spent", times: int = 1) -> "Spent":
        """Return the sum of this and a multiple of the other."""
        return Spent(self.forwards + times * other[0], self.backwards + times * other[1])

    @property
    def total(self) -> float:
        """The sum: a forward is one pass, and a backward is another."""
        return self.forwards + self.backwards

    @property
    def passes(self) -> float:
        """Both as passes, a forward and its backward; three forwards alone count as one."""
        return self.backwards + (self.forwards - self.backwards) / 3

    def __str__(self) -> str:
        """Return one number where both are equal."""
        forwards, backwards = (f"{round(count, 1):.12g}" for count in self)
        return forwards if forwards == backwards else f"{forwards}/{backwards}"


@public
def spent_by(
    threat: Threat, *, steps: float | None = None, measured: bool = False, classes: int = 10
) -> Spent:
    """Return the cost of a search for an example that withstands it, in `steps` or its own.

    A number of steps that is not whole is a mean, and so is the cost.
    If it is `measured`, its last iterate takes one more forward. Of the threats with a search of
    their own, only AutoAttack has a known count, to about a tenth; others count as 0.

    Example:
        >>> from moat.threats import PGD
        >>> str(spent_by(PGD(epsilon=0.1, step_size=0.02, steps=5)))
        '5'
    """
    if isinstance(threat, AutoAttack):
        return _of_autoattack(threat, classes).plus(Spent(int(measured)))
    if not isinstance(threat, SearchedThreat):
        return Spent(int(measured))
    steps = steps or threat.steps
    if not isinstance(threat, GradientThreat):  # a list of members, the best of which is kept
        return Spent(steps + 1)
    keeps_best = threat.keeps_best or threat.search != "sign"
    compares = threat.loss == "kl" or threat.loss in TARGETED  # with the natural image
    once = int(measured or keeps_best) + int(compares)
    tried = steps * threat.candidates if threat.search == "sign" else 0
    return Spent(steps + tried + once, 0 if threat.search == "random" else steps)


def _of_autoattack(threat: AutoAttack, classes: int) -> Spent:
    """Return what its searches cost together, restarts and targets counted."""
    steps, plus = threat.steps, threat.version == "plus"
    if threat.version == "rand":  # 20 draws a step, on two losses
        climbs = 20 * (steps + 1) * (2 if classes > 2 else 1)
        return Spent(climbs + AROUND, climbs)
    restarts, targets = 5 if plus or threat.norm == "l1" else 1, min(9, classes - 1)
    aims = min(5 if threat.norm == "l1" else 9, classes - 1) if classes > 3 else 0
    climbs = restarts * (1 + int(plus and classes > 2)) + aims
    fab = 5 if plus else 0
    return Spent(
        forwards=(climbs + 2 * (targets + fab)) * steps
        + AROUND * (climbs + targets + fab)
        + threat.queries,
        backwards=climbs * (steps + 1) + (targets + fab * classes) * steps,
    )
