"""Radii and steps of threats that hardly anybody means, and balls that hold every image's twin."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import torch

from moat.geometry.balls import Ball, LinfBall
from moat.geometry.union_ball import UnionBall
from moat.oddities.view import Oddity, SearchedSet, StudyView
from moat.threats import MSD, AutoAttack, GradientThreat, RTGrid, Warp
from moat.threats.gradient import step_fields
from moat.threats.pgd import BALLS

_ACROSS = 2.0
"""What the image spans in grid units: a pixel that is moved so far comes from outside."""
_FLAT = 1.0
"""Grid units, or matrix entries, by which every pixel can come to read the image's centre."""
_GREY_LEVELS = 255


class SearchedBall(NamedTuple):
    """A ball of a threat on a black image, the keys of its radius and step, and its block."""

    ball: Ball
    radius: str
    step: str
    block: torch.Tensor


def balls_of(one: SearchedSet) -> list[SearchedBall]:
    """Return the balls of a threat; none of a threat that has none, or not for such images."""
    threat = one.threat
    x = torch.zeros(1, *(one.shape or (1, 4, 4)))
    with suppress(Exception):  # a plug-in's, on images that are not those of the study
        if isinstance(threat, AutoAttack):
            own = BALLS[threat.norm](threat.epsilon, threat.epsilon, low=-x, high=1 - x)
            return [SearchedBall(own, "epsilon", "epsilon", x)]
        if isinstance(threat, GradientThreat):
            balls, blocks, steps = threat.balls(x), threat.identity(x), step_fields(type(threat))
            if isinstance(threat, MSD):
                (union,), (block,) = balls, blocks
                assert isinstance(union, UnionBall)
                balls, blocks = union.parts, (block,) * len(union.parts)
                steps = [f"{norm}_step_size" for norm in threat.norms]
            if len(steps) != len(balls):
                steps = ["step_size"] * len(balls)
            return [
                SearchedBall(ball, step.replace("step_size", "epsilon"), step, block)
                for ball, step, block in zip(balls, steps, blocks, strict=True)
            ]
    return []


def radius_beyond_image(view: StudyView) -> Iterator[Oddity]:
    """Yield each radius with which a ball bounds nothing."""
    for one in view.searched():
        for ball, radius, _, block in balls_of(one):
            epsilon = one.largest * ball.epsilon
            key = "at_epsilon" if one.largest > 1 else radius
            if ball.high is not None and _is_known(ball, one):
                if epsilon >= float(ball.length(torch.ones_like(block))):
                    yield Oddity(
                        one.where(key),
                        f"the radius {epsilon:g} bounds nothing: a pixel spans [0, 1], and every "
                        "image lies in such a ball.",
                        _in_grey_levels(ball, epsilon),
                    )
            elif isinstance(one.threat, Warp) and epsilon > _ACROSS:
                yield Oddity(
                    one.where(key),
                    f"the radius {epsilon:g} bounds nothing: in grid units the image is 2 wide.",
                    "A shift of d pixels is 2 d / width: give that.",
                )
        if isinstance(one.threat, RTGrid):
            yield from _beyond_grid(one, one.threat)


def step_beyond_radius(view: StudyView) -> Iterator[Oddity]:
    """Yield each step of sign ascent that is longer than the radius of its ball."""
    for one in view.searched():
        if not isinstance(one.threat, GradientThreat) or one.threat.search != "sign":
            continue
        for ball, radius, step, _ in balls_of(one):
            if ball.step_size > ball.epsilon:
                yield Oddity(
                    one.where(step),
                    f"a step of {ball.step_size:g} is longer than the radius, {radius} = "
                    f"{ball.epsilon:g}: every step ends at the border.",
                    "Usual is a step of about twice the radius over the number of steps: "
                    f"{_two_digits(2 * ball.epsilon / (one.threat.steps + 1))} here.",
                )


def constant_image_in_ball(view: StudyView) -> Iterator[Oddity]:
    """Yield each threat of training that can turn all images into one, or into one flat colour.

    No network tells classes apart by such an image, so training against it ends where it began: at
    a constant guess, one answer to every image. What counts is how far the search gets, which is
    its steps times their size where it climbs from the image by sign steps.
    """
    for one in view.searched():
        if one.purpose != "train":
            continue
        for ball, radius, _, block in balls_of(one):
            reach = _reach(one, ball)
            boxed = ball.high is not None and _is_known(ball, one)
            if boxed and reach >= float(ball.length(0.5 * torch.ones_like(block))):
                what = "the same grey image lies in the ball of every image"
            elif isinstance(one.threat, Warp) and reach >= _FLAT:
                what = "an image can be made one flat colour, all of it read at one place"
            else:
                continue
            yield Oddity(
                one.where(radius),
                f"at {reach:g} {what}: no network can tell classes apart, and training may end at "
                "a constant guess.",
                f"Lower {radius}, or take fewer or smaller steps.",
            )


def _is_known(ball: Ball, one: SearchedSet) -> bool:
    """Say whether a ball's size can be told: l2 and l1 lengths depend on the number of pixels."""
    return isinstance(ball, LinfBall) or one.shape is not None


def _reach(one: SearchedSet, ball: Ball) -> float:
    threat = one.threat
    climbs = isinstance(threat, GradientThreat) and threat.search == "sign"
    if isinstance(threat, GradientThreat) and climbs and threat.start != "uniform":
        return min(ball.epsilon, threat.steps * ball.step_size)
    return ball.epsilon


def _in_grey_levels(ball: Ball, epsilon: float) -> str:
    if isinstance(ball, LinfBall) and 1 < epsilon <= _GREY_LEVELS:
        return f"{epsilon:g} of 255 grey levels are {epsilon / _GREY_LEVELS:.4g}: give that."
    return "Lower it."


def _beyond_grid(one: SearchedSet, threat: RTGrid) -> Iterator[Oddity]:
    side = max(one.shape[1:]) if one.shape else None
    if side is not None and threat.pixels >= side:
        yield Oddity(
            one.where("pixels"),
            f"a shift of {threat.pixels:g} pixels moves the whole image out: it has {side}.",
            "Lower it.",
        )
    if threat.degrees > 180:
        yield Oddity(
            one.where("degrees"),
            f"{threat.degrees:g} degrees to either side search some rotations twice.",
            "180 are all of them.",
        )


def _two_digits(number: float) -> str:
    return f"{number:.2g}"
