"""Radii so large that a ball bounds nothing, and steps of the same scale."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import torch

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.union_ball import parts_of
from moat.threats.autoattack import AutoAttack
from moat.threats.base import Threat
from moat.threats.cautions import GREY_LEVELS, Shape, WideNumber, number_look
from moat.threats.gradient import GradientThreat, step_fields
from moat.threats.moving import Warp
from moat.threats.pgd import BALLS
from moat.threats.rt_grid import RTGrid

GRID_SPAN = 2.0
"""The extent of the image in grid units: a pixel that is moved so far comes from outside."""
_ROUNDING = 1 + 1e-6


class SearchedBall(NamedTuple):
    """A ball of a threat on a black image, the keys of its radius and step, and its block."""

    ball: Ball
    radius: str
    step: str
    block: torch.Tensor


def balls_of(threat: Threat, shape: Shape | None = None) -> Iterator[SearchedBall]:
    """Yield the balls of a threat, if it has any for such images."""
    x = torch.zeros(1, *(shape or (1, 4, 4)), device="cpu")
    if isinstance(threat, AutoAttack):
        own = BALLS[threat.norm](threat.epsilon, threat.epsilon, low=-x, high=1 - x)
        yield SearchedBall(own, "epsilon", "epsilon", x)
    if isinstance(threat, GradientThreat):
        found: list[tuple[Ball, torch.Tensor]] = []
        with suppress(Exception):  # a plug-in's, on images that are not those of the study
            pairs = zip(threat.balls(x), threat.identity(x), strict=True)
            found = [(part, block) for ball, block in pairs for part in parts_of(ball)]
        for (ball, block), step in zip(found, _steps(threat, len(found)), strict=True):
            yield SearchedBall(ball, step.replace("step_size", "epsilon"), step, block)


def _steps(threat: GradientThreat, balls: int) -> list[str]:
    """Return the field of each ball's step: declared as such, or called so beside a radius."""
    cls: Any = type(threat)
    called = [
        name
        for name in cls.__pydantic_fields__
        if name.endswith("step_size")
        and getattr(threat, name.replace("step_size", "epsilon"), 0.0) is not None
    ]
    for names in (step_fields(cls), called):
        if len(names) == balls:
            return names
    return ["step_size"] * balls


def has_known_size(ball: Ball, shape: Shape | None) -> bool:
    """Say whether a ball's size is known: l2 and l1 lengths depend on the number of pixels."""
    return isinstance(ball, LinfBall) or shape is not None


@number_look
def wide_numbers(threat: Threat, shape: Shape | None, largest: float) -> Iterator[WideNumber]:
    """Yield what a Python warning is given of: wide radii, then long steps."""
    yield from wide_radii(threat, shape, largest)
    yield from long_steps(threat, shape)


def wide_radii(
    threat: Threat, shape: Shape | None = None, largest: float = 1.0
) -> Iterator[WideNumber]:
    """Yield each radius with which a ball bounds nothing.

    `largest` is the largest search radius, as a multiple of the threat's own.
    """
    for ball, radius, _, block in balls_of(threat, shape):
        epsilon = largest * ball.epsilon
        key = "at_epsilon" if largest > 1 else radius
        if ball.high is not None and has_known_size(ball, shape):
            if epsilon >= float(ball.length(torch.ones_like(block))):
                what = (
                    f"the radius {epsilon:g} bounds nothing: a pixel spans [0, 1], and every "
                    "image lies in such a ball."
                )
                in_levels = isinstance(ball, LinfBall) and 1 < epsilon <= GREY_LEVELS
                yield WideNumber(key, epsilon, what, "Lower it.", in_levels)
        elif isinstance(threat, Warp) and epsilon > GRID_SPAN:
            what = f"the radius {epsilon:g} bounds nothing: in grid units the image is 2 wide."
            yield WideNumber(key, epsilon, what, "Write a shift of d pixels as 2 d / width.")
    if isinstance(threat, RTGrid):
        yield from _beyond_grid(threat, shape)


def long_steps(threat: Threat, shape: Shape | None = None) -> Iterator[WideNumber]:
    """Yield each sign step that is longer than the radius of its ball.

    A single step of up to twice the radius from a uniform start is usual: it need not end at the
    border.
    """
    if not isinstance(threat, GradientThreat) or threat.search != "sign":
        return
    once = threat.start in ("uniform", "wide") and threat.steps == 1
    for ball, radius, step, _ in balls_of(threat, shape):
        size, epsilon = ball.step_size, ball.epsilon
        if size <= (2 if once else 1) * epsilon * _ROUNDING:
            continue
        what = (
            f"a step of {size:g} is longer than the radius, {radius} = {epsilon:g}: every step "
            "ends at the border."
        )
        usual = f"{2 * epsilon / (threat.steps + 1):.2g}"
        mend = f"Usual is a step of about twice the radius over the number of steps: {usual}."
        pixels = isinstance(ball, LinfBall) and ball.high is not None
        in_levels = pixels and epsilon < 1 < size <= GREY_LEVELS
        yield WideNumber(step, size, what, mend, in_levels, usual)


def _beyond_grid(threat: RTGrid, shape: Shape | None) -> Iterator[WideNumber]:
    side = max(shape[1:]) if shape else None
    if side is not None and threat.pixels >= side:
        what = f"a shift of {threat.pixels:g} pixels moves the whole image out: it has {side}."
        yield WideNumber("pixels", threat.pixels, what, "Lower it.")
    if threat.degrees > 180:
        what = f"{threat.degrees:g} degrees to either side search some rotations twice."
        yield WideNumber("degrees", threat.degrees, what, "180 covers all of them.")
