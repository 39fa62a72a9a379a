"""The further promises of a gradient threat: its transform, its balls and its search.

Example:
    >>> from moat.threats import PGD
    >>> check_identity(PGD(epsilon=0.1, step_size=0.02, steps=2), torch.rand(2, 1, 8, 8))
"""

from dataclasses import replace

import torch
from torch import nn

from moat.annotations import value_in_words
from moat.public import public
from moat.randomness import generator_of
from moat.testing.breach import StructuralBreach, breach_of
from moat.threats import GradientThreat, ascend
from moat.types import Images, Labels, Transform

FLOAT64_ROUNDING = 1e-9  # float64, after a handful of operations


@public
def check_identity(threat: GradientThreat, x: Images) -> None:
    """Check that T_identity(x) is x, and that every block has the batch, type and device of x."""
    identity = threat.identity(x)
    _require_tuple(threat, "identity", identity, "blocks of w")
    for number, block in enumerate(identity):
        assert len(block) == len(x), breach_of(threat, f"block {number} of w has no batch first")
        assert block.dtype == x.dtype, breach_of(
            threat, f"block {number} of w is {block.dtype} for {x.dtype} images"
        )
    distance = (threat.apply(x, identity) - x).abs().max().item()
    assert distance < FLOAT64_ROUNDING, breach_of(
        threat, f"the identity changes the images, by up to {distance:.3g}"
    )


@public
def check_balls(threat: GradientThreat, x: Images) -> None:
    """Check the properties of each ball that the search needs.

    One ball for each block, the identity and every sample inside, a projection that changes a
    projected point no further, and a step that moves, but not without a gradient.
    """
    identity, balls = threat.identity(x), threat.balls(x)
    _require_tuple(threat, "identity", identity, "blocks of w")
    _require_tuple(threat, "balls", balls, "balls")
    if len(identity) != len(balls):
        text = f"{len(identity)} blocks of w have {len(balls)} balls"
        raise StructuralBreach(breach_of(threat, text))
    for number, (block, ball) in enumerate(zip(identity, balls, strict=True)):
        where = f"the ball of block {number}"
        assert torch.equal(ball.project(block), block), breach_of(
            threat, f"{where} misses the identity"
        )
        far = ball.project(block + _noise(block))
        assert torch.allclose(ball.project(far), far, rtol=0, atol=FLOAT64_ROUNDING), breach_of(
            threat, f"{where} projects a projected point elsewhere"
        )
        member = ball.sample(block, _seeded())
        assert (member.shape, member.dtype) == (block.shape, block.dtype), breach_of(
            threat, f"{where} draws samples of another shape or type"
        )
        assert torch.allclose(ball.project(member), member, rtol=0, atol=FLOAT64_ROUNDING), (
            breach_of(threat, f"{where} draws samples outside itself")
        )
        stepped = ball.step(block, _noise(block))
        assert not torch.equal(stepped, block), breach_of(
            threat, f"{where} takes steps of length 0"
        )
        still = ball.step(block, torch.zeros_like(block))
        assert torch.equal(still, block), breach_of(threat, f"{where} moves without a gradient")


@public
def check_box(threat: GradientThreat, x: Images) -> None:
    """Check that T_w(x) is in [0, 1] for every w in the balls, without a clamp in `apply`.

    The search measures T_w(x) unclamped; images beyond the box would be reported with the loss of
    others.
    """
    for scale in (0.3, 3.0):
        identity = threat.identity(x)
        w = tuple(
            ball.project(block + scale * _noise(block))
            for ball, block in zip(threat.balls(x), identity, strict=True)
        )
        for inside in (w, _samples(threat, x)):
            images = threat.apply(x, inside)
            beyond = torch.maximum(-images, images - 1).max().item()
            assert beyond < FLOAT64_ROUNDING, breach_of(
                threat,
                f"a w in the balls takes the images {beyond:.3g} beyond [0, 1]. Do not clamp them: "
                "give the ball the image box, or move each pixel by a share of its room, as "
                "moat.geometry.boxes.moved does",
            )


@public
def check_no_clamp(threat: GradientThreat, x: Images) -> None:
    """Check that `apply` leaves a gradient at the pixels that it carries to white or black.

    The images are brought close to that end, and no pixel is at it to begin with. A clamp brings
    pixels to exactly 1 and leaves them without a gradient, where the search stays stuck; a ball
    with the image box brings them to exactly 1 as well, and their gradient stands. Black is looked
    at where each pixel depends on itself alone: a warp reads black outside of the image.
    """
    spread = 0.1 + 0.8 * x  # all of it within (0, 1)
    for end in (1, 0):
        for room in (0.3, 0.03, 0.003):
            near = 1 - room * spread if end else room * spread
            w = tuple(
                ball.project(block + 3 * _noise(block)).detach().requires_grad_()
                for ball, block in zip(threat.balls(near), threat.identity(near), strict=True)
            )
            if end or _is_pointwise(threat, near, w):
                _require_gradient_at(threat, near, w, end)


def _require_gradient_at(threat: GradientThreat, x: Images, w: Transform, end: int) -> None:
    images = threat.apply(x, w)
    there = images.detach() >= 1 if end else images.detach() <= 0
    if not images.requires_grad or not there.any():
        return
    weighted = (images * _noise(images))[there].sum()
    gradients = torch.autograd.grad(weighted, w, allow_unused=True)
    assert any(one is not None and (one != 0).any() for one in gradients), breach_of(
        threat,
        f"apply clamps: {int(there.sum())} pixels that it carries to {end} have no gradient, so a "
        "search stalls there. Remove the clamp, and give the ball the image box",
    )


def _is_pointwise(threat: GradientThreat, x: Images, w: Transform) -> bool:
    """Say whether a pixel that changes changes itself alone, as far as one shows it."""
    place = (..., x.shape[2] // 2, x.shape[3] // 2)
    other = x.clone()
    other[place] *= 0.99
    with torch.no_grad():
        changed = threat.apply(other, w) != threat.apply(x, w)
    changed[place] = False
    return not changed.any()


def _require_tuple(threat: GradientThreat, method: str, found: object, what: str) -> None:
    if not isinstance(found, tuple):
        value = value_in_words(found)
        value = f"an object {value}" if value.startswith("of ") else value
        text = (
            f"{method} returns {value}, not a tuple of {what}: end it with a comma, return (one,)"
        )
        raise StructuralBreach(breach_of(threat, text))


@public
def check_gradients(threat: GradientThreat, x: Images) -> None:
    """Check for a finite gradient of T_w(x) in every block of w, not zero for a whole image."""
    w = tuple(block.detach().requires_grad_() for block in _samples(threat, x))
    images = threat.apply(x, w)
    assert images.requires_grad, breach_of(threat, "apply is not differentiable in w")
    weighted = (images * _noise(images)).sum()
    gradients = torch.autograd.grad(weighted, w, allow_unused=True)
    for number, gradient in enumerate(gradients):
        where = f"the gradient of block {number} of w"
        assert gradient is not None, breach_of(threat, f"{where} does not exist: apply ignores it")
        assert gradient.isfinite().all(), breach_of(threat, f"{where} is not finite")
        dead = (gradient.flatten(1) == 0).all(1)
        assert not dead.any(), breach_of(threat, f"{where} is zero for {int(dead.sum())} images")


@public
def check_independence(threat: GradientThreat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that an example gives the same images alone as in a batch, in float64.

    Searches that draw as they go are exempt: their draws depend on the size of the batch.
    """
    if threat.search == "random":
        return
    climb = threat.climb(x, y, generator=_seeded())
    ((together,),) = (traces.values() for traces in ascend(model, [climb], len(x), measure=False))
    for row in (0, len(x) - 1):
        only = slice(row, row + 1)
        start = tuple(block[only] for block in climb.start)
        alone = replace(climb, x=x[only], y=y[only], start=start)
        ((single,),) = (traces.values() for traces in ascend(model, [alone], 1, measure=False))
        distance = (single.images - together.images[only]).abs().max().item()
        assert distance < FLOAT64_ROUNDING, breach_of(
            threat, f"an example differs alone and in its batch, by up to {distance:.3g}"
        )


@public
def check_climb(threat: GradientThreat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that the search ends with a loss no lower than at its start.

    The mean is no lower, and the loss of most examples.
    """
    climb = threat.climb(x, y, at_steps=(0, threat.steps), generator=_seeded())
    (traces,) = ascend(model, [climb], len(x))
    start, end = traces[0].loss, traces[threat.steps].loss
    assert start is not None  # both were measured
    assert end is not None
    share = (end >= start).double().mean().item()
    assert share > 0.5, breach_of(
        threat, f"the search ends no lower than it starts for only {share:.0%} of the examples"
    )
    fall = (start - end).mean().item()
    assert fall < FLOAT64_ROUNDING, breach_of(
        threat, f"the mean loss at the end of the search is {fall:.3g} below that at its start"
    )


def _samples(threat: GradientThreat, x: Images) -> Transform:
    balls = zip(threat.balls(x), threat.identity(x), strict=True)
    return tuple(ball.sample(block, _seeded()) for ball, block in balls)


def _noise(like: torch.Tensor) -> torch.Tensor:
    return torch.randn(like.shape, generator=_seeded(), dtype=like.dtype)


def _seeded() -> torch.Generator:
    return generator_of(7)
