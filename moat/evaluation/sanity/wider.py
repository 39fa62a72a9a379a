"""Ever wider bounds, within which almost no image should withstand a search."""

from collections.abc import Callable
from dataclasses import replace

import torch

from moat.evaluation.sanity.probes import PROBE_STEPS, Probe, auto_pgd, drawn_members
from moat.geometry.balls import Ball
from moat.losses import is_correct
from moat.threats import GradientThreat
from moat.threats.searches import Search, SignSearch
from moat.types import Images, PerExample, Transform, Verdicts

WIDER = (1, 2, 4, 8, 16, 32, 64)  # times the protocol's bounds


def unbounded(probe: Probe, label: str, standing: Verdicts) -> Verdicts:
    """Climb within ever wider bounds, by Auto-PGD and by signs, from images that are right.

    A start drawn in wide bounds is far from the image by itself, and fells a model without any
    gradient.
    """
    threat = probe.threat(label)
    loss = "cross-entropy" if threat.loss == "kl" else threat.loss  # kl is flat at the image
    generator = probe.generator(label, "unbounded")
    for wider in WIDER:
        own = threat.climb(probe.x, probe.y, generator=generator, reach=wider)
        start = _right_start(probe, threat, generator)
        for search in (auto_pgd, _by_signs):
            if not bool(standing.any()):
                return standing
            climb = replace(
                own,
                search=search,
                balls=_with_short_steps(own.balls),
                loss=loss,
                start=start,
                at_steps=(PROBE_STEPS,),
            )
            standing = standing & probe.stood(climb, standing, PROBE_STEPS)
    return standing


def _right_start(probe: Probe, threat: GradientThreat, generator: torch.Generator) -> Transform:
    """Return a random start within the threat's own bounds where that is still right.

    Elsewhere a quarter of it, or else the image: there the derivative of interpolation jumps.
    """
    start = identity = threat.identity(probe.x)
    drawn = drawn_members(threat.balls(probe.x), identity, generator)
    for share in (1 / 4, 1):
        nearer = tuple(
            zero + share * (block - zero) for zero, block in zip(identity, drawn, strict=True)
        )
        right = is_correct(probe.logits(threat.apply(probe.x, nearer)), probe.y)
        start = tuple(
            torch.where(right.view(-1, *[1] * (block.ndim - 1)), block, before)
            for block, before in zip(nearer, start, strict=True)
        )
    return start


def _by_signs(w: Transform, like: PerExample) -> Search:
    return SignSearch()


def _with_short_steps(
    balls: Callable[[Images], tuple[Ball, ...]],
) -> Callable[[Images], tuple[Ball, ...]]:
    """Return the balls with steps of a tenth of their radius."""
    return lambda images: tuple(
        replace(ball, step_size=ball.epsilon / 10) for ball in balls(images)
    )
