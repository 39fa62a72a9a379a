"""The promises of every threat to the caller of `perturb`.

Example:
    >>> from moat.threats import PGD
    >>> check_repr(PGD(epsilon=0.1, step_size=0.02, steps=2))
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import nn

from moat.errors import ModelError
from moat.public import public
from moat.randomness import generator_of
from moat.testing.breach import breach_of
from moat.testing.model_state import disturbed, require_same, state_of
from moat.threats import GradientThreat, Threat
from moat.types import Images, Labels


@public
def check_images(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check for detached images in [0, 1] of the shape and type of x, and an unchanged x."""
    for dtype in (torch.float64, torch.float32):
        given, network = x.to(dtype), model.to(dtype)
        kept = given.clone()
        images = threat.perturb(network, given, y, generator=_seeded())
        assert images.shape == given.shape, breach_of(
            threat, f"images {tuple(given.shape)} came back as {tuple(images.shape)}"
        )
        assert images.dtype == dtype, breach_of(
            threat, f"{dtype} images came back as {images.dtype}"
        )
        assert not images.requires_grad, breach_of(threat, "the images are not detached")
        low, high = images.min().item(), images.max().item()
        assert 0 <= low <= high <= 1, breach_of(
            threat, f"the images leave [0, 1]: they span [{low:.6g}, {high:.6g}]"
        )
        assert torch.equal(given, kept), breach_of(threat, "its input images were changed")


@public
def check_model_untouched(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that flags, gradients, parameters and buffers stay unchanged in every mode."""
    for training in (True, False):
        before = disturbed(model, training)
        threat.perturb(model, x, y, generator=_seeded())
        require_same(threat, before, state_of(model), "the search")


@public
def check_exception(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that an exception of the model passes and leaves the model unchanged."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            raise _Interruption

    last = 0
    handle = model.register_forward_hook(count)
    before = disturbed(model, training=True)
    threat.perturb(model, x, y, generator=_seeded())
    calls, last = 0, calls
    try:
        threat.perturb(model, x, y, generator=_seeded())
    except (_Interruption, ModelError) as error:  # the door says what a first forward raised
        if not isinstance(error.__cause__ or error, _Interruption):
            raise
    else:
        assert last == 0, breach_of(threat, "an exception of the model was swallowed")
    finally:
        handle.remove()
    require_same(threat, before, state_of(model), "an exception of the model")


@public
def check_random_state(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that a search with a generator or without draws leaves torch's global random state."""
    generators: list[torch.Generator | None] = [_seeded()]
    if isinstance(threat, GradientThreat) and (threat.start, threat.search) in _DRAW_NOTHING:
        generators.append(None)
    for generator in generators:
        before = torch.get_rng_state()
        threat.perturb(model, x, y, generator=generator)
        assert torch.equal(before, torch.get_rng_state()), breach_of(
            threat,
            "torch's global random state moved, though "
            + ("a start at zero draws nothing" if generator is None else "a generator was given"),
        )


@public
def check_reproducible(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that equal generators give the same images."""
    first, second = (threat.perturb(model, x, y, generator=_seeded()) for _ in range(2))
    assert torch.equal(first, second), breach_of(threat, "equal generators gave different images")


@public
def check_outer_modes(threat: Threat, model: nn.Module, x: Images, y: Labels) -> None:
    """Check that a search under no_grad or inference_mode finds the same images."""
    expected = threat.perturb(model, x, y, generator=_seeded())
    modes: tuple[Callable[[], AbstractContextManager[object]], ...] = (
        torch.no_grad,
        torch.inference_mode,
    )
    for mode in modes:
        with mode():
            images = threat.perturb(model, x.clone(), y.clone(), generator=_seeded())
        assert torch.equal(images, expected), breach_of(
            threat, f"it finds other images under torch.{mode.__name__}"
        )


@public
def check_repr(threat: Threat) -> None:
    """Check that `repr` is an expression of an equal threat."""
    arguments = repr(threat).removeprefix(type(threat).__qualname__)
    assert eval(f"cls{arguments}", {"cls": type(threat)}) == threat, breach_of(
        threat, "its repr makes another threat"
    )


_DRAW_NOTHING = (("zero", "sign"), ("zero", "apgd"))  # start and search


class _Interruption(Exception):
    """The error of a model in the middle of a search."""


def _seeded() -> torch.Generator:
    return generator_of(7)
