"""Further searches on a few examples, harmless to an honest evaluation.

Each takes the examples that withstood a threat's own search and returns which still stand.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import torch
from torch import nn

from moat.evaluation.protocol import Protocol
from moat.evaluation.sanity.boundary import boundary
from moat.evaluation.sanity.differences import points, unpredicted
from moat.geometry.balls import Ball
from moat.losses import Loss, LossName, is_correct, log_odds, minus_logit
from moat.passes import in_passes
from moat.randomness import generator_of, seed_named
from moat.threats import Climb, GradientThreat, ascend, attacked
from moat.threats.searches import APGD, RandomSearch, Search
from moat.types import Images, Labels, Logits, PerExample, Transform, Verdicts

PROBE_DRAWS = 50  # without a gradient, an example
PROBE_STEPS = 20  # of Auto-PGD
APART: tuple[LossName, ...] = ("kl", "targeted-cross-entropy", "targeted-margin")


class Probe:
    """A model, a few examples, and the threats of a protocol to be searched again."""

    def __init__(
        self, model: nn.Module, x: Images, y: Labels, protocol: Protocol, pass_size: int
    ) -> None:
        self.model, self.x, self.y = model, x, y
        self.protocol, self.pass_size = protocol, pass_size

    def at_random(self, label: str, standing: Verdicts) -> Verdicts:
        """Draw without a gradient from where the threat's search could get, at most its bounds."""
        threat = self.threat(label)
        generator = self.generator(label, "random")
        climb = self._climb(label, threat, generator)
        balls = _within(threat, max(climb.at_steps), climb.balls)

        def search(w: Transform, like: PerExample) -> Search:
            return RandomSearch(w, like, balls(self.x), generator)

        drawn = replace(climb, balls=balls, search=search, at_steps=(PROBE_DRAWS,))
        return self.stood(drawn, standing, PROBE_DRAWS)

    def as_predicted(self, label: str, standing: Verdicts) -> Verdicts:
        """Leave out whose margin changes otherwise than its gradient says, on a small step.

        A step from the image, from a random start where the threat's search could get, or from
        where the model's answer changes.
        """
        threat, generator = self.threat(label), self.generator(label, "differences")
        climb = self._climb(label, threat, generator)
        balls = _within(threat, max(climb.at_steps), climb.balls)(self.x)
        image, start = points(threat, self.x, balls, generator)
        for point in (image, start, replace(image, blocks=(self.boundary,), of_pixels=False)):
            wrong = unpredicted(self.model, self.y, point, self.pass_size, generator)
            standing = standing & ~wrong
        return standing

    @cached_property
    def boundary(self) -> Images:
        """The images near each example at which the model's answer changes."""
        return boundary(self.model, self.x, self.y, self.pass_size)

    def by_ratio(self, label: str, standing: Verdicts) -> Verdicts:
        """Climb the difference-of-logits ratio by Auto-PGD, where the threat's search could get.

        The loss does not saturate and knows no scale. With two classes it is the margin.
        """
        loss: LossName = "dlr" if self.logits(self.x[:1]).shape[1] > 2 else "margin"
        return self._from_another_start(label, standing, "dlr", loss)

    def again(self, label: str, standing: Verdicts) -> Verdicts:
        """Climb by Auto-PGD from another start within the search's reach, on the better loss.

        The log-odds rise with the cross-entropy, and do not saturate where it does. The label's
        logit alone has a gradient where the others' are much steeper. What looks for another thing
        than a wrong answer, or for one alone, is climbed again itself.
        """
        own = self.threat(label).loss
        losses: tuple[LossName | Loss, ...] = (own,) if own in APART else (log_odds, minus_logit)
        left = [self._from_another_start(label, standing, "again", loss) for loss in losses]
        return min(left, key=lambda stood: int(stood.sum()))

    def _from_another_start(
        self, label: str, standing: Verdicts, probe: str, loss: LossName | Loss
    ) -> Verdicts:
        threat, generator = self.threat(label), self.generator(label, probe)
        own = self._climb(label, threat, generator)
        balls = _within(threat, max(own.at_steps), own.balls)
        start = drawn_members(balls(self.x), threat.identity(self.x), generator)
        climb = replace(
            own, balls=balls, search=auto_pgd, loss=loss, start=start, at_steps=(PROBE_STEPS,)
        )
        return self.stood(climb, standing, PROBE_STEPS)

    def transferred(self, label: str, other: nn.Module, standing: Verdicts) -> Verdicts:
        """Search on another model, and give what was found there to this one."""
        threat = self.threat(label)
        climb = self._climb(label, threat, self.generator(label, "transfer"))
        (traces,) = ascend(other, [replace(climb, among=standing)], self.pass_size, measure=False)
        images = traces[climb.at_steps[-1]].images
        return standing & is_correct(self.logits(images), self.y)

    def threat(self, label: str) -> GradientThreat:
        """Return a threat that climbs a gradient."""
        threat = self.protocol.threats[label]
        assert isinstance(threat, GradientThreat)
        return threat

    def _climb(self, label: str, threat: GradientThreat, generator: torch.Generator) -> Climb:
        """Return the threat's search at its largest strength."""
        last = list(self.protocol.attempts(label))[-1]
        steps, reach = max(self.protocol.steps(label)), self.protocol.reach(label, last)
        return threat.climb(
            self.x, self.y, at_steps=(steps,), generator=generator, reach=reach, rank=1
        )

    def stood(self, climb: Climb, standing: Verdicts, steps: int) -> Verdicts:
        """Search the standing examples; return those that still stand."""
        searched = replace(climb, among=standing)
        (traces,) = ascend(self.model, [searched], self.pass_size, until_fallen=True)
        stood = traces[steps].stood
        assert stood is not None  # ascend measures unless told otherwise
        return standing & stood

    def logits(self, images: Images) -> Logits:
        """Return what the model makes of images."""
        with attacked(self.model), torch.no_grad():
            return in_passes(self.model, images, self.pass_size)

    def generator(self, label: str, probe: str) -> torch.Generator:
        """Return a probe's own generator, so that no other changes what it draws."""
        return generator_of(seed_named(self.protocol.seed, label, probe))


def auto_pgd(w: Transform, like: PerExample) -> Search:
    """Return a short Auto-PGD."""
    return APGD(w, like, PROBE_STEPS)


def drawn_members(
    balls: tuple[Ball, ...], like: Transform, generator: torch.Generator
) -> Transform:
    """Draw a member of each ball."""
    return tuple(ball.sample(block, generator) for ball, block in zip(balls, like, strict=True))


def _within(
    threat: GradientThreat, steps: int, balls: Callable[[Images], tuple[Ball, ...]]
) -> Callable[[Images], tuple[Ball, ...]]:
    """Return the balls, each narrowed to where the threat's search could get in its steps."""
    if threat.search != "sign" or threat.start == "uniform":
        return balls

    def narrowed(images: Images) -> tuple[Ball, ...]:
        return tuple(
            ball.scaled(min(1.0, steps * ball.step_size / ball.epsilon)) for ball in balls(images)
        )

    return narrowed
