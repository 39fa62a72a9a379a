"""Further searches on a few examples, which an honest search should have nothing to fear from.

Each takes the examples that withstood a threat's own search and returns which still stand.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import torch
from torch import nn

from moat.evaluation.protocol import Protocol
from moat.evaluation.sanity.differences import points, unpredicted
from moat.geometry.balls import Ball
from moat.losses import LossName, is_correct
from moat.threats import Climb, GradientThreat, ascend, attacked
from moat.threats.searches import APGD, RandomSearch, Search, SignSearch
from moat.types import Images, Labels, Logits, PerExample, Transform, Verdicts

DRAWS = 50  # without a gradient, an example
WIDER = (1, 2, 4, 8, 16, 32, 64)  # times the protocol's bounds
STEPS = 20  # of Auto-PGD within each


class Probe:
    """A model, a few examples, and the threats of a protocol to be searched again."""

    def __init__(
        self, model: nn.Module, x: Images, y: Labels, protocol: Protocol, pass_size: int
    ) -> None:
        self.model, self.x, self.y = model, x, y
        self.protocol, self.pass_size = protocol, pass_size

    def at_random(self, label: str, standing: Verdicts) -> Verdicts:
        """Draw without a gradient from where the threat's search could get, at most its bounds."""
        threat = self._threat(label)
        generator = self._generator(label, "random")
        climb = self._climb(label, threat, generator)
        balls = _within(threat, max(climb.at_steps), climb.balls)

        def search(w: Transform, like: PerExample) -> Search:
            return RandomSearch(w, like, balls(self.x), generator)

        drawn = replace(climb, balls=balls, search=search, at_steps=(DRAWS,))
        return self._stood(drawn, standing, DRAWS)

    def as_predicted(self, label: str, standing: Verdicts) -> Verdicts:
        """Leave out whose margin changes otherwise than its gradient says, on a small step.

        A step from the image, or from a random start where the threat's search could get.
        """
        threat, generator = self._threat(label), self._generator(label, "differences")
        climb = self._climb(label, threat, generator)
        balls = _within(threat, max(climb.at_steps), climb.balls)(self.x)
        for point in points(threat, self.x, balls, generator):
            wrong = unpredicted(self.model, self.y, point, self.pass_size, generator)
            standing = standing & ~wrong
        return standing

    def by_ratio(self, label: str, standing: Verdicts) -> Verdicts:
        """Climb the difference-of-logits ratio by Auto-PGD, where the threat's search could get.

        The loss does not saturate and knows no scale. With two classes it is the margin.
        """
        threat, generator = self._threat(label), self._generator(label, "dlr")
        own = self._climb(label, threat, generator)
        balls = _within(threat, max(own.at_steps), own.balls)
        start = _sample(balls(self.x), threat.identity(self.x), generator)
        loss: LossName = "dlr" if self._logits(self.x[:1]).shape[1] > 2 else "margin"
        climb = replace(
            own, balls=balls, search=_auto_pgd, loss=loss, start=start, at_steps=(STEPS,)
        )
        return self._stood(climb, standing, STEPS)

    def unbounded(self, label: str, standing: Verdicts) -> Verdicts:
        """Climb within ever wider bounds, by Auto-PGD and by signs, from images that are right.

        A start drawn in wide bounds is far from the image by itself, and fells a model without any
        gradient.
        """
        threat = self._threat(label)
        loss = "cross-entropy" if threat.loss == "kl" else threat.loss  # kl is flat at the image
        generator = self._generator(label, "unbounded")
        for wider in WIDER:
            own = threat.climb(self.x, self.y, generator=generator, reach=wider)
            start = self._right_start(threat, generator)
            for search in (_auto_pgd, _by_signs):
                if not bool(standing.any()):
                    return standing
                climb = replace(
                    own,
                    search=search,
                    balls=_with_short_steps(own.balls),
                    loss=loss,
                    start=start,
                    at_steps=(STEPS,),
                )
                standing = standing & self._stood(climb, standing, STEPS)
        return standing

    def _right_start(self, threat: GradientThreat, generator: torch.Generator) -> Transform:
        """Return a random start within the threat's own bounds where that is still right.

        Elsewhere a quarter of it, or else the image: there the derivative of interpolation jumps.
        """
        start = identity = threat.identity(self.x)
        drawn = _sample(threat.balls(self.x), identity, generator)
        for share in (1 / 4, 1):
            nearer = tuple(
                zero + share * (block - zero) for zero, block in zip(identity, drawn, strict=True)
            )
            right = is_correct(self._logits(threat.apply(self.x, nearer)), self.y)
            start = tuple(
                torch.where(right.view(-1, *[1] * (block.ndim - 1)), block, before)
                for block, before in zip(nearer, start, strict=True)
            )
        return start

    def transferred(self, label: str, other: nn.Module, standing: Verdicts) -> Verdicts:
        """Search on another model, and give what was found there to this one."""
        threat = self._threat(label)
        climb = self._climb(label, threat, self._generator(label, "transfer"))
        (traces,) = ascend(other, [replace(climb, among=standing)], self.pass_size, measure=False)
        images = traces[climb.at_steps[-1]].images
        return standing & is_correct(self._logits(images), self.y)

    def _threat(self, label: str) -> GradientThreat:
        threat = self.protocol.threats[label]
        assert isinstance(threat, GradientThreat)
        return threat

    def _climb(self, label: str, threat: GradientThreat, generator: torch.Generator) -> Climb:
        """Return the threat's search at its largest strength."""
        last = list(self.protocol.attempts(label))[-1]
        own, steps = getattr(threat, "epsilon", None), max(self.protocol.steps(label))
        reach = 1.0 if last.epsilon is None or own is None else last.epsilon / own
        return threat.climb(
            self.x, self.y, at_steps=(steps,), generator=generator, reach=reach, rank=1
        )

    def _stood(self, climb: Climb, standing: Verdicts, steps: int) -> Verdicts:
        searched = replace(climb, among=standing)
        (traces,) = ascend(self.model, [searched], self.pass_size, until_fallen=True)
        stood = traces[steps].stood
        assert stood is not None  # ascend measures unless told otherwise
        return standing & stood

    def _logits(self, images: Images) -> Logits:
        with attacked(self.model), torch.no_grad():
            return torch.cat([self.model(part) for part in images.split(self.pass_size)])

    def _generator(self, label: str, probe: str) -> torch.Generator:
        digest = sha256(f"{self.protocol.seed}/{label}/{probe}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _auto_pgd(w: Transform, like: PerExample) -> Search:
    return APGD(w, like, STEPS)


def _by_signs(w: Transform, like: PerExample) -> Search:
    return SignSearch()


def _sample(balls: tuple[Ball, ...], like: Transform, generator: torch.Generator) -> Transform:
    return tuple(ball.sample(block, generator) for ball, block in zip(balls, like, strict=True))


def _with_short_steps(
    balls: Callable[[Images], tuple[Ball, ...]],
) -> Callable[[Images], tuple[Ball, ...]]:
    """Return the balls with steps of a tenth of their radius."""
    return lambda images: tuple(
        replace(ball, step_size=ball.epsilon / 10) for ball in balls(images)
    )


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
