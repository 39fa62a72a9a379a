"""A check of the margin's change against its gradient, independent of any search.

A search is only as good as the gradient that it follows. Where the gradient is right, a small step
changes the margin by the inner product of the two; a gradient that is reversed, noise, another
network's, too small, too steep or cut off predicts something else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.geometry.balls import Ball, draw, rows
from moat.losses import margin
from moat.threats import GradientThreat, attacked
from moat.types import Images, Labels, PerExample, Transform, Verdicts

UPHILL, ACROSS = 0.3, 0.05  # steps along the gradient's signs and along random ones, as shares
WRONG = 0.5  # of the rise that the gradient predicts uphill
ASTRAY = 1.5  # times the change that it usually predicts across: ties in flat images make up to 1
FAR = 3**0.5  # the reach of a uniform draw over its root of the mean square
HIDDEN = 0.25  # of the usual change of all entries, so moved: what those without a slope may add
STEP_DRAWS = 2  # steps of the entries without a slope
LOGIT_ROUNDING = 16  # times the precision of the largest logit
CHANGE = 0.05  # of a pixel, in the root of the mean square: what a step of w changes at most


@dataclass(frozen=True)
class GradientPoint:
    """The point of a gradient, (batch, ...) for each block, and the moves from there.

    `size` says for each block how large a move is typical, as numbers that broadcast over it.
    """

    blocks: Transform
    size: Transform
    images: Callable[[Transform, slice], Images]  # of some of the examples
    project: Callable[[Transform], Transform]
    of_pixels: bool = False


def points(
    threat: GradientThreat, x: Images, balls: tuple[Ball, ...], generator: torch.Generator
) -> tuple[GradientPoint, GradientPoint]:
    """Return the image itself, moved pixel by pixel, and a random start, moved within the balls.

    Pixels move by as much as the random start changes them. The image is not asked by the threat's
    own parameters, since the derivative of interpolation jumps at the identity.
    """
    pairs = zip(threat.identity(x), balls, strict=True)
    start = tuple(ball.sample(block, generator) for block, ball in pairs)

    def within(w: Transform) -> Transform:
        return tuple(ball.project(block) for ball, block in zip(balls, w, strict=True))

    def pixels(w: Transform) -> Transform:
        return tuple(block.clamp(0, 1) for block in w)

    size = tuple(map(_typical, start))
    with torch.no_grad():
        images = threat.apply(x, start)
        blocks = zip(start, size, strict=True)
        moved = within(
            tuple(block + UPHILL * own * _signs(block, generator) for block, own in blocks)
        )
        change = rows(_typical(threat.apply(x, moved) - images)).squeeze(1)
        share = (CHANGE / change.clamp(min=CHANGE)).to(x)  # wide bounds move pixels over others
    size = tuple(share.view(-1, *[1] * (own.ndim - 1)) * own for own in size)
    return (
        GradientPoint((x,), (_typical(images - x),), lambda w, rows: w[0], pixels, True),
        GradientPoint(start, size, lambda w, rows: threat.apply(x[rows], w), within),
    )


def unpredicted(
    model: nn.Module, y: Labels, point: GradientPoint, pass_size: int, generator: torch.Generator
) -> Verdicts:
    """Return whose margin changes far otherwise than its gradient says.

    One step follows the signs of the gradient, another random signs: the latter finds what the
    gradient leaves out. They cost three forwards and a backward. Two more steps, of a forward each,
    move the entries alone that have no slope: nothing should follow. They are asked of
    pixels; the flow of a flat image rightly has no slope, and matters as soon as its pixels differ.
    """
    blocks = tuple(block.detach() for block in point.blocks)
    with attacked(model):
        logits, slopes = _logits_and_slopes(model, y, point, pass_size)
        before = margin(logits, y)
        floor = LOGIT_ROUNDING * torch.finfo(logits.dtype).eps * logits.abs().amax(1)
        wrong = torch.zeros_like(before, dtype=torch.bool)
        with torch.no_grad():
            for moved, missed in _steps(point, blocks, slopes, generator):
                after = margin(_logits(model, point, moved, pass_size), y)
                error = (after - before - _sum(_terms(moved, blocks, slopes))).abs()
                wrong |= ~(error <= missed + floor)
    return wrong.detach()


def _steps(
    point: GradientPoint, blocks: Transform, slopes: Transform, generator: torch.Generator
) -> Iterator[tuple[Transform, PerExample]]:
    """Yield where each step ends, and how much of the margin's change the gradient may miss."""
    uphill = tuple(slope.sign() for slope in slopes)
    signs = tuple(_signs(block, generator) for block in blocks)
    for length, direction, usual, most in (
        (UPHILL, uphill, _sum, WRONG),
        (ACROSS, signs, _root_sum_of_squares, ASTRAY),
    ):
        steps = zip(blocks, point.size, direction, strict=True)
        moved = point.project(tuple(block + length * size * way for block, size, way in steps))
        yield moved, most * usual(_terms(moved, blocks, slopes)).abs()
    if point.of_pixels:
        parts = zip(point.size, slopes, strict=True)
        all_moved = _root_sum_of_squares([rows(FAR * size * slope) for size, slope in parts])
        for _ in range(STEP_DRAWS):
            yield _flat_entries_moved(point, blocks, slopes, generator), HIDDEN * all_moved


def _flat_entries_moved(
    point: GradientPoint, blocks: Transform, slopes: Transform, generator: torch.Generator
) -> Transform:
    """Return a step of the entries without a slope, each to a random side or off its border.

    At the border of the box lie the kinks of what clamps: the slope there is that of the outside.
    """
    steps = []
    for block, size, slope in zip(blocks, point.size, slopes, strict=True):
        steps.append(torch.where(slope == 0, FAR * size * _signs(block, generator), 0))
    there, back = (
        point.project(tuple(block + side * step for block, step in zip(blocks, steps, strict=True)))
        for side in (1, -1)
    )
    return tuple(
        torch.where((one - block).abs() < (other - block).abs(), other, one)
        for block, one, other in zip(blocks, there, back, strict=True)
    )


def _terms(moved: Transform, blocks: Transform, slopes: Transform) -> list[Tensor]:
    """Return what the gradient predicts of each entry's move."""
    parts = zip(moved, blocks, slopes, strict=True)
    return [rows((there - here) * slope) for there, here, slope in parts]


def _logits(model: nn.Module, point: GradientPoint, blocks: Transform, pass_size: int) -> Tensor:
    parts = _slices(len(blocks[0]), pass_size)
    return torch.cat(
        [model(point.images(tuple(block[part] for block in blocks), part)) for part in parts]
    )


def _logits_and_slopes(
    model: nn.Module, y: Labels, point: GradientPoint, pass_size: int
) -> tuple[Tensor, Transform]:
    """Return logits and the gradient of the margin to the blocks, a pass after the other."""
    logits, slopes = [], []
    for part in _slices(len(y), pass_size):
        blocks = tuple(block[part].detach().requires_grad_() for block in point.blocks)
        found = model(point.images(blocks, part))
        slopes.append(torch.autograd.grad(margin(found, y[part]).sum(), blocks))
        logits.append(found.detach())
    return torch.cat(logits), tuple(map(torch.cat, zip(*slopes, strict=True)))


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _signs(like: Tensor, generator: torch.Generator) -> Tensor:
    return 2 * draw(torch.rand, like, generator).round() - 1


def _typical(block: Tensor) -> Tensor:
    """Return the root of the mean square of each example's entries, to broadcast over them."""
    size = rows(block).square().mean(1).sqrt()
    return size.view(-1, *[1] * (block.ndim - 1))


def _sum(terms: list[Tensor]) -> PerExample:
    """Return what the gradient predicts: the sum over all entries."""
    return torch.stack([part.sum(1) for part in terms]).sum(0)


def _root_sum_of_squares(terms: list[Tensor]) -> PerExample:
    """Return how large that sum usually is where signs are random."""
    return torch.stack([part.square().sum(1) for part in terms]).sum(0).sqrt()
