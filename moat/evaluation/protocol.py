"""The protocol: which threats, at which strengths, on which examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from moat.errors import MoatError, did_you_mean
from moat.outcomes import NATURAL_COLUMN, Column
from moat.threats import GradientThreat, Threat
from moat.types import NATURAL


@dataclass(frozen=True)
class Protocol:
    """What a model is evaluated with, always in full float32 precision.

    `threats` are searched as they are built, under labels of the user's. `at_steps` lists, for a
    gradient threat, the counts of iterations that are reported; one search serves them all, and
    its largest count replaces the threat's `steps` (which is the one count where none is listed).
    `summed` are the threats that total and universal score add up: all unless named. `examples`
    keeps only the first so many of the test split. `seed` draws random starts.
    """

    threats: Mapping[str, Threat]
    at_steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    summed: tuple[str, ...] = ()
    examples: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if NATURAL in self.threats:
            raise MoatError(
                f"no threat can have the label {NATURAL!r}: it is the images as they are."
            )
        if self.examples is not None and self.examples < 1:
            raise MoatError(f"a protocol needs at least one example, not {self.examples}.")
        for label in (*self.at_steps, *self.summed):
            if label not in self.threats:
                raise MoatError(
                    f"the protocol evaluates no threat labelled {label!r}."
                    f"{did_you_mean(label, self.threats)}",
                    hint=f"evaluated: {', '.join(self.threats) or 'none'}",
                )
        for label, steps in self.at_steps.items():
            if not steps or min(steps) < 1 or list(steps) != sorted(set(steps)):
                raise MoatError(
                    f"at_steps of {label!r} must be ascending counts of at least 1, not "
                    f"{list(steps)}."
                )
            threat = self.threats[label]
            if not isinstance(threat, GradientThreat):
                raise MoatError(f"{label!r} is not searched by ascent, so it takes no at_steps.")
            if threat.search == "apgd" and len(steps) > 1:
                raise MoatError(
                    f"the steps of {label!r} are timed by their number (search = 'apgd'), so one "
                    "search does not serve several counts.",
                    hint="Give it steps instead of at_steps, and another label for each count.",
                )

    def steps(self, label: str) -> tuple[int, ...]:
        """Return the reported counts of a threat: (1,) for one that has a single strength."""
        threat = self.threats[label]
        if not isinstance(threat, GradientThreat):
            return (1,)
        return self.at_steps.get(label) or (threat.steps,)

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the outcome matrix, the natural image first."""
        searched = (Column(label, n) for label in self.threats for n in self.steps(label))
        return (NATURAL_COLUMN, *searched)

    def scored(self) -> tuple[str, ...]:
        """Return the threats that total and universal score add up."""
        return self.summed or tuple(self.threats)

    def passes(self) -> int:
        """Return how many forwards and backwards one example costs; single forwards not counted."""
        return sum(
            max(self.steps(label))
            for label, threat in self.threats.items()
            if isinstance(threat, GradientThreat)
        )
