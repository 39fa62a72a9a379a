"""The value that a search climbs, as a function of `w`: for landscapes and curvatures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from moat.errors import InputError
from moat.public import public
from moat.randomness import generator_of, seed_named
from moat.threats import Climb, GradientThreat, Threat, ascend
from moat.threats.climber import climbed_value, reference_of
from moat.types import Images, Labels, PerExample, Transform

View = Literal["far", "near", "end"]
"""The place of the view: the start with the reach of the ball, close to it, or around the end."""


@dataclass(frozen=True, eq=False)
class ClimbedLoss:
    """The climbed value of examples as a function of w: mostly the cross-entropy of T_w(x).

    It is not projected: w may leave its ball. `reference` is what some losses compare with.
    """

    model: nn.Module
    climb: Climb
    reference: Tensor | None

    def at(self, w: Transform, chosen: Tensor | slice) -> PerExample:
        """Return the values of the chosen examples at w, whose rows are theirs."""
        climb = self.climb
        reference = None if self.reference is None else self.reference[chosen]
        logits = self.model(climb.apply(climb.x[chosen], w))
        return climbed_value(climb, logits, climb.y[chosen], reference, w)


@public
def require_gradient_threat(threat: Any, label: str = "") -> GradientThreat:
    """Return a threat that is searched over the blocks of w; raise InputError for any other.

    Example:
        >>> from moat.threats import PGD
        >>> require_gradient_threat(PGD(epsilon=0.1, step_size=0.02)).steps
        10
    """
    if isinstance(threat, GradientThreat):
        return threat
    name = label or str(getattr(type(threat), "name", type(threat).__name__))
    what = "is not a threat" if not isinstance(threat, Threat) else "has no gradient"
    raise InputError(
        f"the threat {name!r} {what}: it has no parameters w over which a loss could be drawn.",
        hint="Take one that climbs by gradients: pgd, flow, rt, integrated, stadv or msd.",
    )


def climbed_loss(model: nn.Module, climb: Climb, pass_size: int) -> ClimbedLoss:
    """Return what a search on a batch climbs, its comparison measured."""
    return ClimbedLoss(model, climb, reference_of(climb, climb.x, climb.y, model, pass_size))


def climb_of(threat: GradientThreat, x: Images, y: Labels, seed: int, *, noisy: bool) -> Climb:
    """Return the search on a batch; with `noisy` a start at zero is moved by a little noise.

    At the exact identity every point of a warp lies on a pixel's centre, where its slope jumps.
    """
    if noisy and threat.start == "zero":
        threat = replace(threat, start="noise")
    return threat.climb(x, y, generator=generator_of(seed))


def end_of(model: nn.Module, climb: Climb, pass_size: int) -> Transform:
    """Return the w that the search reports."""
    (traces,) = ascend(model, [climb], pass_size, measure=False)
    return traces[max(climb.at_steps)].w


def ball_members(climb: Climb, ids: Sequence[int], seed: int) -> Transform:
    """Return a random member of each example's balls, which its id and the seed determine."""
    found = []
    for place, number in enumerate(ids):
        like = tuple(block[place : place + 1] for block in climb.start)
        balls = climb.balls(climb.x[place : place + 1])
        generator = generator_of(seed_named("ball", seed, number))
        found.append([b.sample(block, generator) for b, block in zip(balls, like, strict=True)])
    return tuple(torch.cat(blocks) for blocks in zip(*found, strict=True))
