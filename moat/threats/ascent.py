"""The only inner loop: steepest ascent over the blocks of `w`, for several threats at once (Eq. 9).

Examples stay independent: losses are summed, the model is in eval mode, its parameters are frozen,
and gradients are asked for `w` alone. So threats searched together, or cut into passes of any
size, find what they find alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moat.errors import ModelError
from moat.geometry.balls import Ball
from moat.losses import LOSSES, LossName, is_correct
from moat.passes import Segment, cut
from moat.types import Images, Labels, Logits, PerExample, Transform, Verdicts


@dataclass(frozen=True, eq=False)
class Trace:
    """One iterate of a search: the images T_w(x), the w, and what the model made of them.

    `loss` (batch,) and `correct` (batch,) are None where the search was told not to measure,
    which saves the one forward that the last iterate would need.
    """

    images: Images
    w: Transform
    loss: PerExample | None
    correct: Verdicts | None


@dataclass(frozen=True, eq=False)
class Climb:
    """One search on one batch: what is climbed, from where, and at which counts it is reported.

    `at_steps` are counts of iterations; the largest is the length of the search.
    """

    x: Images
    y: Labels
    start: Transform
    apply: Callable[[Images, Transform], Images]
    balls: Callable[[Images], tuple[Ball, ...]]
    loss: LossName
    at_steps: tuple[int, ...]


def ascend(
    model: nn.Module, climbs: Sequence[Climb], pass_size: int, *, measure: bool = True
) -> list[dict[int, Trace]]:
    """Run the searches of Eq. 9 together; return the traces of each by count of iterations.

    A search of s iterations costs s forwards and backwards to `w` an example, and one forward more
    where it is measured: its iterates' losses are read off the gradient passes.
    """
    found: list[dict[int, list[Trace]]] = [{n: [] for n in c.at_steps} for c in climbs]
    with attacked(model):
        for segments in cut([len(climb.x) for climb in climbs], pass_size):
            climbers = [_Climber(climbs[segment.which], segment, model) for segment in segments]
            for climber, segment in zip(climbers, segments, strict=True):
                climber.record_into = found[segment.which]
            for step in range(max(climber.steps for climber in climbers)):
                _advance(model, [c for c in climbers if step < c.steps], step)
            _finish(model, climbers, measure)
    return [
        {n: _joined(parts) if parts else _nothing(climb, measure) for n, parts in traces.items()}
        for climb, traces in zip(climbs, found, strict=True)
    ]


@contextmanager
def attacked(model: nn.Module) -> Iterator[None]:
    """Put the model in eval mode with frozen parameters, and leave every flag as it was.

    Raises ModelError for a model that nothing can be differentiated through.
    """
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise ModelError(
            "the model was made under torch.inference_mode, so it has no gradient to its input.",
            hint="Build or load it outside of inference_mode.",
        )
    training = {module: module.training for module in model.modules()}
    required = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        model.eval()
        for parameter in required:
            parameter.requires_grad_(False)
        # An outer no_grad or inference_mode must not stop the search.
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module, flag in training.items():
            module.training = flag
        for parameter, flag in required.items():
            parameter.requires_grad_(flag)


class _Climber:
    """The examples of one climb that share a pass, and where they have got to."""

    record_into: dict[int, list[Trace]]

    def __init__(self, climb: Climb, segment: Segment, model: nn.Module) -> None:
        self.climb = climb
        self.x, self.y = climb.x[segment.rows].clone(), climb.y[segment.rows].clone()
        self.w: Transform = tuple(block[segment.rows].clone() for block in climb.start)
        self.balls = climb.balls(self.x)
        self.steps = max(climb.at_steps)
        self.natural: Logits | None = None
        if climb.loss == "kl":
            with torch.no_grad():
                self.natural = model(self.x)

    def images(self) -> Images:
        return self.climb.apply(self.x, self.w)

    def losses(self, logits: Logits) -> PerExample:
        return LOSSES[self.climb.loss](logits, self.y, self.natural)

    def record(self, step: int, images: Images, logits: Logits | None) -> None:
        """Keep the iterate if its count was asked for."""
        if step not in self.record_into:
            return
        loss = correct = None
        if logits is not None:
            loss, correct = self.losses(logits).detach(), is_correct(logits, self.y)
        # The box holds but for the rounding of the interpolation.
        inside = images.detach().clamp(0, 1)
        trace = Trace(inside, tuple(block.detach() for block in self.w), loss, correct)
        self.record_into[step].append(trace)


def _advance(model: nn.Module, climbers: Sequence[_Climber], step: int) -> None:
    """Take one step of Eq. 9 with every climber, in one forward and one backward."""
    for climber in climbers:
        climber.w = tuple(block.requires_grad_() for block in climber.w)
    images = [climber.images() for climber in climbers]
    logits = model(torch.cat(images)).split([len(part) for part in images])
    # sum, not mean: the gradient of an example must not depend on the size of its batch
    losses = [c.losses(part).sum() for c, part in zip(climbers, logits, strict=True)]
    gradients = iter(torch.autograd.grad(torch.stack(losses).sum(), _blocks(climbers)))
    with torch.no_grad():
        for climber, own_images, own_logits in zip(climbers, images, logits, strict=True):
            climber.record(step, own_images, own_logits)
            climber.w = tuple(
                ball.step(block, next(gradients))
                for ball, block in zip(climber.balls, climber.w, strict=True)
            )


def _finish(model: nn.Module, climbers: Sequence[_Climber], measure: bool) -> None:
    """Keep every climber's last iterate; its logits come from no gradient pass."""
    with torch.no_grad():
        images = [climber.images().clamp(0, 1) for climber in climbers]
        logits: Sequence[Logits | None] = [None] * len(climbers)
        if measure:
            logits = model(torch.cat(images)).split([len(part) for part in images])
        for climber, own_images, own_logits in zip(climbers, images, logits, strict=True):
            climber.record(climber.steps, own_images, own_logits)


def _blocks(climbers: Sequence[_Climber]) -> list[Tensor]:
    return [block for climber in climbers for block in climber.w]


def _nothing(climb: Climb, measure: bool) -> Trace:
    """Return the trace of a climb without examples."""
    loss = climb.x.new_zeros(0) if measure else None
    return Trace(climb.x, climb.start, loss, None if loss is None else loss.bool())


def _joined(parts: list[Trace]) -> Trace:
    """Lay the parts of a batch end to end again."""
    if len(parts) == 1:
        return parts[0]
    measured = parts[0].loss is not None
    return Trace(
        torch.cat([part.images for part in parts]),
        tuple(torch.cat(blocks) for blocks in zip(*(part.w for part in parts), strict=True)),
        torch.cat([part.loss for part in parts if part.loss is not None]) if measured else None,
        torch.cat([p.correct for p in parts if p.correct is not None]) if measured else None,
    )
