"""The only inner loop: the blocks of `w` climbed by several searches at once (Eq. 9).

Examples stay independent: losses are summed, the model is in eval mode, its parameters are frozen,
and gradients are asked for `w` alone. So threats searched together, or in passes of any size, give
the same result as alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from moat.errors import MoatError, ModelError
from moat.passes import Pass, cut, is_out_of_memory
from moat.public import public
from moat.threats.climb import Climb, Trace
from moat.threats.climber import Climber
from moat.threats.friendly import Friendly
from moat.threats.logits import UNFIT, cannot_change_mode, no_gradient, said
from moat.threats.searches import BestSearch
from moat.types import Images

LEAVE_EVERY = 8  # iterations that the fallen of a GPU's search climb on at most


@public
def ascend(
    model: nn.Module,
    climbs: Sequence[Climb],
    pass_size: int,
    *,
    measure: bool = True,
    until_fallen: bool | Friendly = False,
    leave_every: int | None = None,
) -> list[dict[int, Trace]]:
    """Run the searches together; return the traces of each by its count of iterations.

    A search of s iterations costs s forwards and backwards to `w` for each example, and one more
    forward if its last iterate is measured: the losses of the others come from the gradient passes.
    With `until_fallen` an example falls at its first misclassified iterate, which its later traces
    repeat. Fallen examples leave the passes in every iteration on a CPU, and in every eighth on a
    GPU, where the check makes the host wait; with 0 they never leave. A `Friendly` in its place
    says when an example has fallen far enough; its traces then tell images and w alone.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import PGD
        >>> pgd = PGD(epsilon=0.1, step_size=0.02)
        >>> climb = pgd.climb(*examples(count=4), at_steps=(0, 2, 5))
        >>> (traces,) = ascend(smooth_model(), [climb], pass_size=128)
        >>> list(traces), traces[5].images.shape, traces[5].loss.shape
        ([0, 2, 5], torch.Size([4, 1, 8, 8]), torch.Size([4]))
    """
    with attacked(model):
        climbers = [
            Climber(
                climb,
                model,
                pass_size,
                until_fallen=until_fallen,
                measure=measure,
                leave_every=_patience(climb) if leave_every is None else leave_every,
            )
            for climb in climbs
        ]
        for step in range(max((climber.steps for climber in climbers), default=0)):
            going = [c for c in climbers if step < c.steps and len(c)]
            for follows in (True, False):
                _measure(model, [c for c in going if c.follows_gradient is follows], pass_size)
            for climber in going:
                climber.advance(step)
        with torch.no_grad():
            last = [c for c in climbers if len(c) and (measure or isinstance(c.search, BestSearch))]
            _measure(model, last, pass_size, gradients=False)
            return [climber.finish(measure) for climber in climbers]


def _patience(climb: Climb) -> int:
    return 1 if climb.x.device.type == "cpu" else LEAVE_EVERY


@public
@contextmanager
def attacked(model: nn.Module) -> Iterator[None]:
    """Put the model in eval mode with frozen parameters; restore every flag afterwards.

    Raises ModelError for a model that cannot be differentiated.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(2, 2))
        >>> with attacked(network):
        ...     network.training, network[1].weight.requires_grad
        (False, False)
        >>> network.training, network[1].weight.requires_grad
        (True, True)
    """
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise ModelError(
            "the model was made under torch.inference_mode, so it has no gradient to its input.",
            hint="Build or load it outside of inference_mode.",
        )
    training = {module: module.training for module in model.modules()}
    required = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        to_eval(model)
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


@public
def to_eval(model: nn.Module) -> None:
    """Put a network in eval mode; one from torch.export keeps its mode.

    Example:
        >>> network = torch.nn.Dropout()
        >>> to_eval(network)
        >>> network.training
        False
    """
    try:
        model.eval()
    except NotImplementedError:
        for module in model.modules():
            module.training = False
    except RecursionError as error:
        raise ModelError(
            "the network contains itself, so it cannot be put into eval mode.",
            hint="Keep a back-reference out of its modules: in a list, or by weakref.",
        ) from error
    except MoatError:
        raise
    except UNFIT as error:
        raise cannot_change_mode("eval", error) from error


def _measure(
    model: nn.Module, climbers: Sequence[Climber], pass_size: int, *, gradients: bool = True
) -> None:
    """Tell every climber what the model makes of its iterate, pass by pass."""
    for segments in cut([len(climber) for climber in climbers], pass_size):
        if gradients and climbers[0].follows_gradient:
            _gradient_pass(model, climbers, segments)
        else:
            with torch.no_grad():
                _forward_pass(model, climbers, segments)


def _gradient_pass(model: nn.Module, climbers: Sequence[Climber], segments: Pass) -> None:
    """One forward and one backward, to `w` alone."""
    own = [climbers[segment.which] for segment in segments]
    blocks = [
        tuple(block[segment.rows].detach().requires_grad_() for block in climber.w)
        for climber, segment in zip(own, segments, strict=True)
    ]
    images = [
        climber.images(w, segment.rows)
        for climber, w, segment in zip(own, blocks, segments, strict=True)
    ]
    logits = _answers(model, images)
    losses = [
        climber.losses(part, w, segment.rows)
        for climber, part, w, segment in zip(own, logits, blocks, segments, strict=True)
    ]
    found = _slopes(losses, [block for w in blocks for block in w])
    slopes = iter([slope for slope in found if slope is not None])
    if None in found:  # a network with a graph that leads elsewhere, as a quantised one
        raise no_gradient()
    for climber, part, answer, loss, w, segment in zip(
        own, images, logits, losses, blocks, segments, strict=True
    ):
        climber.take(segment.rows, part, answer, loss, tuple(next(slopes) for _ in w))


def _slopes(losses: Sequence[Tensor], blocks: Sequence[Tensor]) -> Sequence[Tensor | None]:
    # of the sum, not mean: the gradient of an example must not depend on the size of its batch
    ones = [torch.ones_like(loss) for loss in losses]
    try:
        return torch.autograd.grad(losses, blocks, ones, allow_unused=True)
    except MoatError:
        raise
    except UNFIT as error:  # as of a graph that is run through `backward` alone
        if is_out_of_memory(error):
            raise
        raise no_gradient(f" ({said(error)})") from error


def _forward_pass(model: nn.Module, climbers: Sequence[Climber], segments: Pass) -> None:
    """One forward."""
    own = [climbers[segment.which] for segment in segments]
    blocks = [
        tuple(block[segment.rows] for block in climber.w)
        for climber, segment in zip(own, segments, strict=True)
    ]
    images: list[Images] = [
        climber.images(w, segment.rows).clamp(0, 1)
        for climber, w, segment in zip(own, blocks, segments, strict=True)
    ]
    logits = _answers(model, images)
    for climber, part, found, w, segment in zip(own, images, logits, blocks, segments, strict=True):
        climber.take(segment.rows, part, found, climber.losses(found, w, segment.rows), ())


def _answers(model: nn.Module, images: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return the logits of several lists of images, in one forward over a copy of them."""
    logits: Tensor = model(torch.cat(list(images)))
    return [logits] if len(images) == 1 else logits.split([len(part) for part in images])
