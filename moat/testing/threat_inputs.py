"""The promises of a threat on any input: batches, flat models, a GPU; no change.

Example:
    >>> from moat.testing import examples, smooth_model
    >>> from moat.threats import PGD
    >>> check_neighbours(PGD(epsilon=0.1, step_size=0.02, steps=2), smooth_model(), *examples())
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from moat.losses import cross_entropy, margin
from moat.public import public
from moat.randomness import generator_of
from moat.testing.breach import breach_of
from moat.threats import GradientThreat, Threat, attacked
from moat.types import Images, Labels

ROUNDING = 1e-9  # float64, after a handful of operations
NOTICED = 0.005  # of a mean loss: a fixed change of the images may lower it by less
SATURATED = 1e4  # the factor of logits at which a softmax rounds to 0 and 1


@public
def check_inputs(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Hold images and labels to what they were, for a gradient threat also its blocks of w."""
    given = {"images": x.clone(), "labels": y.clone()}
    threat.perturb(model, given["images"], given["labels"], generator=_seeded())
    _require_equal(threat, given, {"images": x, "labels": y}, "the search")
    if isinstance(threat, GradientThreat):
        _check_blocks(threat, x)


@public
def check_neighbours(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Hold an example to the same images, whatever the others in its batch are, in float64.

    Not of a threat that `draws_by_batch`.
    """
    if threat.draws_by_batch:
        return
    others, labels = x.flip(3), (y + 1) % (int(y.max()) + 1)
    whole = threat.perturb(model, x, y, generator=_seeded())
    for row in (0, len(x) - 1):
        own = torch.arange(len(x)) == row
        beside = torch.where(own[:, None, None, None], x, others)
        found = threat.perturb(model, beside, torch.where(own, y, labels), generator=_seeded())
        distance = (found[row] - whole[row]).abs().max().item()
        assert distance < ROUNDING, breach_of(
            threat,
            f"an example depends on the others in its batch: with other ones it is changed by up "
            f"to {distance:.3g}",
        )


@public
def check_loss(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Hold the mean loss to no less than at the natural images, in eval mode.

    It is broken where cross-entropy and margin are both lower, by more than half a percent. Not of
    a threat that does not climb (`climbs = False`), such as a fixed corruption, nor of the KL loss,
    which does not look at the label.
    """
    if not is_climbing(threat):
        return
    images = threat.perturb(model, x, y, generator=_seeded())
    with attacked(model), torch.no_grad():
        before, after = (model(one) for one in (x, images))
    (cross, crossed), (near, neared) = (
        [loss(logits, y).mean().item() for logits in (before, after)]
        for loss in (cross_entropy, margin)
    )
    falls = crossed < cross - NOTICED * abs(cross) and neared < near - NOTICED * abs(near)
    assert not falls, breach_of(
        threat,
        f"the loss is below that of the natural images: the mean cross-entropy falls from "
        f"{cross:.4g} to {crossed:.4g} nats, the mean margin from {near:.4g} to {neared:.4g}. A "
        "threat that does not search declares climbs = False",
    )


def is_climbing(threat: Threat) -> bool:
    """Say whether a threat looks for a higher loss of the label."""
    return threat.climbs and getattr(threat, "loss", "") != "kl"


@public
def check_flat_models(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Hold the images to finite values in [0, 1] where the model gives no usable gradient.

    On constant logits every gradient is 0; on saturated logits it is 0 or the largest there is.
    """
    for name, factor in (("constant", 0.0), ("saturated", SATURATED)):
        for dtype in (torch.float64, torch.float32):
            flat = _Scaled(model.to(dtype), factor)
            images = threat.perturb(flat, x.to(dtype), y, generator=_seeded())
            bad = int((~images.isfinite()).flatten(1).any(1).sum())
            assert not bad, breach_of(
                threat, f"on {name} logits in {dtype}, {bad} of {len(x)} images are not finite"
            )
            low, high = images.min().item(), images.max().item()
            assert 0 <= low <= high <= 1, breach_of(
                threat,
                f"on {name} logits, the images leave [0, 1]: they span [{low:.6g}, {high:.6g}]",
            )


@public
def check_other_generators(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Hold numpy's global random state still, and torch's global settings."""
    before = _globals()
    threat.perturb(model, x, y, generator=_seeded())
    for what, (old, new) in _pairs(before, _globals()):
        assert old == new, breach_of(threat, f"the search changed {what}")


@public
def check_device(threat: GradientThreat, x: Images) -> None:
    """Hold identity, apply and balls to the device of the images: they run on one without values.

    A tensor that is made without `device=x.device` stands on another device than the images there,
    as it would on a GPU.
    """
    there = x.to("meta")
    for what, make in _parts(threat, there):
        try:
            found = make()
        except (RuntimeError, NotImplementedError) as error:
            if "on the expected device" not in str(error):
                continue  # it reads values, of which there are none
            raise AssertionError(
                breach_of(
                    threat,
                    f"{what} mixes devices when the images are on another one than the default: "
                    "make its tensors with device=x.device",
                )
            ) from error
        assert all(one.is_meta for one in found), breach_of(
            threat,
            f"{what} returns a tensor on another device than the images: make it with "
            "device=x.device, as x.new_zeros does",
        )


def _parts(
    threat: GradientThreat, x: Images
) -> Iterator[tuple[str, Callable[[], tuple[Tensor, ...]]]]:
    """Yield what a search calls, each with how it is called."""
    yield "identity", lambda: threat.identity(x)
    try:
        w = tuple(torch.zeros_like(block, device="meta") for block in threat.identity(x))
    except (RuntimeError, NotImplementedError):
        return
    yield "apply", lambda: (threat.apply(x, w),)
    yield (
        "the step of a ball",
        lambda: tuple(
            ball.project(ball.step(block, block))
            for ball, block in zip(threat.balls(x), w, strict=True)
        ),
    )


def _check_blocks(threat: GradientThreat, x: Images) -> None:
    images = x.clone()
    balls = threat.balls(images)
    w = tuple(
        ball.sample(block, _seeded())
        for ball, block in zip(balls, threat.identity(images), strict=True)
    )
    kept = tuple(block.clone() for block in w)
    threat.apply(images, w)
    for ball, block in zip(balls, w, strict=True):
        ball.project(block)
        ball.step(block, torch.ones_like(block))
    given = {"images": images, **{f"block {n} of w": block for n, block in enumerate(w)}}
    before = {"images": x, **{f"block {n} of w": block for n, block in enumerate(kept)}}
    _require_equal(threat, given, before, "apply or a ball")


def _require_equal(
    threat: Threat, given: dict[str, Tensor], before: dict[str, Tensor], cause: str
) -> None:
    for what, tensor in given.items():
        assert torch.equal(tensor, before[what]), breach_of(
            threat, f"{cause} changed the {what} it was given, in place"
        )


def _globals() -> dict[str, object]:
    return {
        "numpy's global random state": [str(part) for part in np.random.get_state()],
        "torch's default type": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "whether torch records gradients": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
    }


def _pairs(
    before: dict[str, object], after: dict[str, object]
) -> Iterator[tuple[str, tuple[object, object]]]:
    yield from ((what, (old, after[what])) for what, old in before.items())


class _Scaled(nn.Module):
    """A model whose logits are multiplied by a factor."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, x: Images) -> Tensor:
        logits: Tensor = self.factor * self.model(x)
        return logits


def _seeded() -> torch.Generator:
    return generator_of(7)
