"""The protocol: the threats, their strengths, the examples, and the rule for a fall."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal, NamedTuple, get_args

from moat.errors import InputError, did_you_mean
from moat.evaluation.protocol_fields import is_memory, require_fields
from moat.losses import TARGETED
from moat.names import NATURAL
from moat.outcomes import NATURAL_COLUMN, Column
from moat.public import public
from moat.threats import GradientThreat, SearchedThreat, Spent, Threat, spent_by
from moat.threats.arguments import require_channels

Falls = Literal["last", "any"]
Sample = Literal["stratified", "first"]


class Attempt(NamedTuple):
    """One search of one threat: which restart, at which radius (its own if None), which columns."""

    restart: int
    epsilon: float | None
    columns: tuple[Column, ...]


@public
@dataclass(frozen=True)
class Protocol:
    """The threats and rules of an evaluation, always in full float32 precision.

    `threats` are searched with their own settings, under the user's labels. Strengths of a gradient
    threat are counts of iterations (`at_steps`: one search serves them all, and its largest count
    replaces the threat's `steps`) or radii (`at_epsilon`: one search each, step and radius scaled
    alike). `restarts` repeats a threat's searches, each from another random start or, with a
    targeted loss, towards the next likely class.

    An example falls by its `last` iterate, as in the paper, or by `any` iterate, the natural image
    included; then it leaves the search that felled it. `union_only` also drops it from every later
    search, cheapest threats first: then only natural accuracy and the union have scores.

    `ensembles` give several searches of one perturbation set one name. `summed` are the threats or
    ensembles in total and universal score: all by default, an ensemble in place of its members.
    `examples` limits the test split: to a `sample` drawn by class, or to the first ones, which may
    be harder or easier than the rest. `seed` draws the sample and random starts. `memory` limits an
    evaluation in GiB, in addition to network and data set (default: by device); it changes no
    outcome, and protocols that differ only in it are equal.

    Example:
        >>> from moat.threats import PGD
        >>> pgd = PGD(epsilon=0.1, step_size=0.02)
        >>> Protocol({"pgd": pgd}, at_steps={"pgd": (5, 10)}, examples=100).falls
        'last'
    """

    threats: Mapping[str, Threat]
    at_steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    summed: tuple[str, ...] = ()
    examples: int | None = None
    seed: int = 0
    at_epsilon: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    falls: Falls = "last"
    union_only: bool = False
    ensembles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sample: Sample = "stratified"
    memory: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        require_fields(self)
        if NATURAL in (*self.threats, *self.ensembles):
            raise InputError(
                f"no threat can have the label {NATURAL!r}: that is the unmodified images."
            )
        if self.examples is not None and self.examples < 1:
            raise InputError(f"a protocol needs at least one example, not {self.examples}.")
        if self.memory is not None and not is_memory(self.memory):
            raise InputError(
                f"the memory of an evaluation is a number of GiB above 0, not {self.memory}.",
                hint="Leave it out for the default of the device.",
            )
        require_falls(self.falls)
        require_sample(self.sample)
        if self.union_only and self.falls != "any":
            raise InputError(
                "union_only leaves out fallen examples, so an example must fall for good.",
                hint='Set falls = "any", or leave union_only out.',
            )
        for label in (*self.at_steps, *self.at_epsilon, *self.restarts):
            self._require_evaluated(label, self.threats)
        for label in self.summed:
            self._require_evaluated(label, (*self.threats, *self.ensembles))
        for name, members in self.ensembles.items():
            if name in self.threats or not members:
                raise InputError(
                    f"the ensemble {name!r} "
                    + ("has the name of a threat." if members else "has no members."),
                    hint="An ensemble names several threats: pgd = ['pgd-ce', 'pgd-dlr'].",
                )
            for label in members:
                self._require_evaluated(label, self.threats)
        for label in self.threats:
            _require_bounded(self, label)
            _require_strengths(self, label)

    def _require_evaluated(self, label: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
        if label not in known:
            raise InputError(
                f"the protocol evaluates no threat labelled {label!r}.{did_you_mean(label, known)}",
                hint=f"evaluated: {', '.join(known) or 'none'}",
            )

    def steps(self, label: str) -> tuple[int, ...]:
        """Return the reported counts of a threat: (1,) for one that has a single strength."""
        threat = self.threats[label]
        if not isinstance(threat, SearchedThreat):
            return (1,)
        return self.at_steps.get(label) or (threat.steps,)

    def attempts(self, label: str) -> Iterator[Attempt]:
        """Yield the searches of a threat, each with the columns that it fills."""
        for restart in range(self.restarts.get(label, 1)):
            for epsilon in self.at_epsilon.get(label, ()):
                column = Column(label, epsilon, restart, "epsilon")
                yield Attempt(restart, epsilon, (column,))
            if label not in self.at_epsilon:
                counts = tuple(Column(label, n, restart) for n in self.steps(label))
                yield Attempt(restart, None, counts)

    def reach(self, label: str, attempt: Attempt) -> float:
        """Return the share of its own radius that a threat is searched at."""
        own = self.threats[label].radius
        return 1.0 if attempt.epsilon is None or own is None else attempt.epsilon / own

    def largest_reach(self) -> dict[str, float]:
        """Return for each threat how many radii of its own it is searched at, at most."""
        return {n: max(self.reach(n, one) for one in self.attempts(n)) for n in self.threats}

    def columns_of(self, label: str) -> tuple[Column, ...]:
        """Return the columns of one threat."""
        return tuple(column for attempt in self.attempts(label) for column in attempt.columns)

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the outcome matrix, the natural image first."""
        return (NATURAL_COLUMN, *(c for label in self.threats for c in self.columns_of(label)))

    def scored(self) -> tuple[str, ...]:
        """Return the threats and ensembles that total and universal score add up."""
        grouped = {label for members in self.ensembles.values() for label in members}
        alone = (label for label in self.threats if label not in grouped)
        return self.summed or (*self.ensembles, *alone)

    def order(self) -> list[str]:
        """Return the labels as they are searched: with `union_only`, the cheapest first."""
        return sorted(self.threats, key=self.cost) if self.union_only else list(self.threats)

    def require_classes(self, classes: int) -> None:
        """Raise MoatError for a loss that aims at more classes than there are."""
        for label, threat in self.threats.items():
            if not isinstance(threat, GradientThreat) or threat.loss not in TARGETED:
                continue
            targets, others = self.restarts.get(label, 1), classes - 1
            if targets > others:
                raise InputError(
                    f"{label!r} aims at {targets} wrong classes, one a restart, and there are "
                    f"{others}.",
                    hint=f"restarts = {others} covers all of them.",
                )

    def require_channels(self, channels: int) -> None:
        """Raise InputError for a threat that needs images of another number of channels."""
        for label, threat in self.threats.items():
            require_channels(threat, channels, label)

    def cost(self, label: str) -> float:
        """Return the largest number of forwards and backwards of a threat for each example.

        Three forwards without a gradient count as one.
        """
        return self._spent_on(label).passes

    def passes(self) -> int:
        """Return the forwards and backwards for one example, without single forwards."""
        return int(self.spent().backwards)

    def spent(self, classes: int = 10) -> Spent:
        """Return the largest cost of one example, the natural image's forward included."""
        found = [self._spent_on(label, classes) for label in self.threats]
        return reduce(Spent.plus, found, Spent(1))

    def _spent_on(self, label: str, classes: int = 10) -> Spent:
        own = isinstance(self.threats[label], SearchedThreat)
        steps = max(self.steps(label)) if own else None
        one = spent_by(self.threats[label], steps=steps, measured=True, classes=classes)
        return Spent().plus(one, sum(1 for _ in self.attempts(label)))


def require_falls(falls: str) -> None:
    """Raise MoatError for another way to fall than there is."""
    if falls not in get_args(Falls):
        raise InputError(f"an example falls by the 'last' or by 'any' iterate, not by {falls!r}.")


def require_sample(sample: str) -> None:
    """Raise MoatError for another sample than there is."""
    if sample not in get_args(Sample):
        raise InputError(
            f"a sample is 'stratified' or the 'first' examples, not {sample!r}."
            f"{did_you_mean(sample, get_args(Sample))}"
        )


def _require_bounded(protocol: Protocol, label: str) -> None:
    threat = protocol.threats[label]
    if isinstance(threat, GradientThreat) and threat.start == "wide":
        raise InputError(
            f'{label!r} has start = "wide", whose images leave the ball: it is for training.',
            hint='Write train = { steps = 1, start = "wide" }, and evaluate with another start.',
        )


def _require_strengths(protocol: Protocol, label: str) -> None:
    """Raise MoatError where a threat does not have the strengths or restarts that are asked for."""
    threat, steps = protocol.threats[label], protocol.at_steps.get(label)
    radii, restarts = protocol.at_epsilon.get(label), protocol.restarts.get(label, 1)
    if restarts < 1:
        raise InputError(f"{label!r} needs at least one search, not {restarts}.")
    for name, listed in (("at_steps", steps), ("at_epsilon", radii)):
        if listed is None:
            continue
        lowest = 1 if name == "at_steps" else 0
        if (
            not listed
            or not all(math.isfinite(one) for one in listed)
            or min(listed) < lowest
            or list(listed) != sorted(set(listed))
            or not all(listed)
        ):
            kind = "counts of at least 1" if name == "at_steps" else "radii above 0"
            raise InputError(f"{name} of {label!r} must be ascending {kind}, not {list(listed)}.")
        if not isinstance(threat, GradientThreat):
            raise InputError(f"{label!r} is not searched by ascent, so it takes no {name}.")
    if isinstance(threat, GradientThreat):
        _require_its_strengths(threat, label, steps, radii)
    if restarts > 1 and (repetition := threat.repetition):
        raise InputError(
            f"every restart of {label!r} would be the same search, {repetition.how}.",
            hint=repetition.mend,
        )


def _require_its_strengths(
    threat: GradientThreat,
    label: str,
    steps: tuple[int, ...] | None,
    radii: tuple[float, ...] | None,
) -> None:
    """Raise MoatError for strengths that a gradient threat cannot be searched at."""
    if steps and radii:
        raise InputError(
            f"{label!r} is given at_steps and at_epsilon.",
            hint="Give one of them another label, with `type` for the threat.",
        )
    if steps and len(steps) > 1 and threat.search == "apgd":
        raise InputError(
            f"the steps of {label!r} are timed by their number (search = 'apgd'), so one "
            "search does not serve several counts.",
            hint="Give it steps instead of at_steps, and another label for each count.",
        )
    if radii and threat.radius is None:
        raise InputError(
            f"{label!r} has no epsilon of its own, so it takes no at_epsilon.",
            hint="Give each strength a label with its own radii.",
        )
