"""Rarely intended radii and steps of threats, and balls that hold every image's twin."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import torch

from moat.geometry.balls import Ball
from moat.oddities.view import Oddity, SearchedSet, StudyView
from moat.threats import GradientThreat, Warp
from moat.threats.cautions import GREY_LEVELS, WideNumber
from moat.threats.radii import balls_of, has_known_size, long_steps, wide_radii

_FLAT = 1.0
"""Grid units, or matrix entries, by which every pixel can come to read the image's centre."""
_PURPOSES = {"train": "in training", "evaluate": "in evaluation"}


def radius_beyond_image(view: StudyView) -> Iterator[Oddity]:
    """Yield each radius with which a ball bounds nothing."""
    for one in view.searched():
        for wide in wide_radii(one.threat, one.shape, one.largest):
            yield Oddity(one.where(wide.key), wide.what, _mend_of(wide))


def step_beyond_radius(view: StudyView) -> Iterator[Oddity]:
    """Yield each step of sign ascent that is longer than the radius of its ball.

    A key that training and evaluation share is told once, with the usual step of each.
    """
    usual: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in view.searched():
        for long in long_steps(one.threat, one.shape):
            by_purpose = usual.setdefault((one.where(long.key), long.what), {})
            by_purpose.setdefault(one.purpose, []).append(long.usual)
    for (where, what), by_purpose in usual.items():
        mend = "Usual is a step of about twice the radius over the number of steps: "
        yield Oddity(where, what, f"{mend}{_by_purpose(by_purpose)}.")


def _by_purpose(sizes: Mapping[str, Sequence[str]]) -> str:
    """Return the steps of each purpose, with its name where the purposes differ."""
    texts = {purpose: " or ".join(dict.fromkeys(each)) for purpose, each in sizes.items()}
    if len(set(texts.values())) == 1:
        return f"{next(iter(texts.values()))} here"
    return ", ".join(f"{text} {_PURPOSES[purpose]}" for purpose, text in texts.items())


def constant_image_in_ball(view: StudyView) -> Iterator[Oddity]:
    """Yield each threat of training that can turn all images into one, or into one flat colour.

    No network tells classes apart by such an image, so training against it ends where it began: at
    a constant guess, one answer to every image. What counts is how far the search gets, which is
    its steps times their size where it climbs from the image by sign steps.
    """
    for one in view.searched():
        if one.purpose != "train":
            continue
        for ball, radius, _, block in balls_of(one.threat, one.shape):
            reach = _reach(one, ball)
            boxed = ball.high is not None and has_known_size(ball, one.shape)
            grey = boxed and reach >= float(ball.length(0.5 * torch.ones_like(block)))
            if grey and _adds_noise(one, block):
                what = "the same grey image lies in the ball of every image"
            elif isinstance(one.threat, Warp) and reach >= _FLAT:
                what = "a warp can read one place everywhere and make any image one flat colour"
            else:
                continue
            yield Oddity(
                one.where(radius),
                f"at {reach:g} {what}: no network can tell classes apart, and training may end at "
                "a constant guess.",
                f"Lower {radius}, or use fewer or smaller steps.",
            )


def _adds_noise(one: SearchedSet, block: torch.Tensor) -> bool:
    """Say whether w of 0.5 and −0.5 turns a black and a white image into the same grey one."""
    threat = one.threat
    if not isinstance(threat, GradientThreat):
        return True  # AutoAttack
    with suppress(Exception):  # a plug-in's, on images that are not those of the study
        for level, change in ((0.0, 0.5), (1.0, -0.5)):
            x = torch.full((1, *(one.shape or (1, 4, 4))), level)
            w = tuple(
                other + change if other.shape == block.shape else other
                for other in threat.identity(x)
            )
            images = threat.apply(x, w)
            if not torch.allclose(images, torch.full_like(images, 0.5), atol=1e-3):
                return False
        return True
    return False


def _reach(one: SearchedSet, ball: Ball) -> float:
    threat = one.threat
    climbs = isinstance(threat, GradientThreat) and threat.search == "sign"
    if isinstance(threat, GradientThreat) and climbs and threat.start not in ("uniform", "wide"):
        return min(ball.epsilon, threat.steps * ball.step_size)
    return ball.epsilon


def _mend_of(wide: WideNumber) -> str:
    if wide.in_levels:
        share = wide.number / GREY_LEVELS
        return f"{wide.number:g} of 255 grey levels are {share:.4g}: give that."
    return wide.mend
