"""The promises of a scalarizer on any losses: extreme, scaled, reordered, on a GPU; no change.

Example:
    >>> from moat.scalarizers import Max
    >>> check_extremes(Max())
"""

from dataclasses import replace

import torch
from torch import Tensor

from moat.public import public
from moat.randomness import draws_undone
from moat.scalarizers import LaggedScalarizer, Scalarizer
from moat.testing.breach import breach_of
from moat.testing.made_up_training import MadeUpTraining, fresh, takes_objectives
from moat.testing.scalarizers import STEPS_CHECKED, WEIGHT_TOLERANCE, require_weights

FEW_STEPS = 2
FACTOR = 64.0
"""By which losses and gradients are multiplied: a power of two, so that nothing is rounded."""


def _extremes(objectives: int, dtype: torch.dtype) -> dict[str, MadeUpTraining]:
    """Return training whose losses and gradients are not as usual, by what they are."""
    usual = MadeUpTraining(objectives, dtype=dtype)
    return {
        "tiny losses and gradients": replace(usual, loss_scale=1e-20, gradient_scale=1e-15),
        "huge losses and gradients": replace(usual, loss_scale=1e20, gradient_scale=1e15),
        "equal losses and gradients": replace(usual, equal=True),
        "a single example": replace(usual, batch=1),
    }


@public
def check_extremes(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold the weights to what they are otherwise on tiny, huge, equal and single losses.

    That is finite, and on the simplex where `simplex` is True; in float32 and in float64. A single
    threat is tried with rules that take any number of objectives.
    """
    for dtype in (torch.float64, torch.float32):
        extremes = _extremes(objectives, dtype)
        if takes_objectives(scalarizer, 2):
            extremes["a single threat"] = MadeUpTraining(2, dtype=dtype)
        for name, training in extremes.items():
            running = fresh(scalarizer)
            for number in range(FEW_STEPS):
                seen = training.step(running, number)
                require_weights(running, seen, f" for {name} in {dtype}")
                running.update(seen.losses)


@public
def check_scale(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold a rule that is `scale_invariant` to equal weights for losses times a constant."""
    if not scalarizer.scale_invariant:
        return
    scaled = MadeUpTraining(objectives, loss_scale=FACTOR, gradient_scale=FACTOR)
    off = _distance(scalarizer, MadeUpTraining(objectives), scaled)
    assert off < WEIGHT_TOLERANCE, breach_of(
        scalarizer,
        f"`scale_invariant` is True, but weights change by up to {off:.3g} when all losses and "
        f"gradients are multiplied by {FACTOR:g}",
    )


@public
def check_permutation(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold a rule that `permutes` to weights that follow the threats into another order."""
    if not scalarizer.permutes or objectives < 3:
        return
    order = (*range(2, objectives), 1)
    turned = MadeUpTraining(objectives, threats=order)
    off = _distance(scalarizer, MadeUpTraining(objectives), turned, torch.tensor([0, *order]))
    assert off < WEIGHT_TOLERANCE, breach_of(
        scalarizer,
        f"`permutes` is True, but weights change by up to {off:.3g} when the threats come in "
        "another order. A rule that draws, or goes by the order, declares permutes = False",
    )


@public
def check_losses_untouched(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold losses and Gramian to what they were when the scalarizer was given them."""
    training, running = MadeUpTraining(objectives), fresh(scalarizer)
    for number in range(FEW_STEPS):
        seen = training.step(running, number)
        running.update(seen.losses)
        values, gramian = training.drawn(number, seen.plan)
        for what, found, before in (
            ("losses", seen.losses.values, values),
            ("Gramian", seen.gramian, gramian),
        ):
            assert torch.equal(found.nan_to_num(), before.nan_to_num()), breach_of(
                scalarizer, f"it changed the {what} that it was given, in place"
            )


@public
def check_draws(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold two new scalarizers to the same weights, and torch's global random state still."""
    training, steps = MadeUpTraining(objectives), range(STEPS_CHECKED)
    before = torch.get_rng_state()
    with draws_undone(torch.device("cpu")):
        first = training.run(fresh(scalarizer), steps)
        after = torch.get_rng_state()
        second = training.run(fresh(scalarizer), steps)
    assert torch.equal(before, after), breach_of(
        scalarizer,
        "torch's global random state moved: draw from a generator of its own, kept in its state",
    )
    assert all(map(torch.equal, first, second)), breach_of(
        scalarizer, "two new ones with the same fields give different weights"
    )


@public
def check_loss_device(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Hold the weights to the device of the losses: it runs on one without values.

    Weights of a lagged rule may stand anywhere until it has seen losses. Where the rule reads
    values, as some solvers do, the check ends.
    """
    training, running = MadeUpTraining(objectives, device="meta"), fresh(scalarizer)
    try:
        for number in range(FEW_STEPS):
            seen = training.step(running, number)
            lagged = isinstance(running, LaggedScalarizer)
            assert lagged or seen.weights.is_meta, breach_of(
                scalarizer, f"the weights are on {seen.weights.device}, and the losses are not"
            )
            running.update(seen.losses)
    except (RuntimeError, NotImplementedError) as error:
        if "on the expected device" in str(error):
            raise AssertionError(
                breach_of(
                    scalarizer,
                    "it mixes devices when the losses are on another one than the default: make "
                    "its tensors with device=losses.values.device",
                )
            ) from error


def _distance(
    scalarizer: Scalarizer, one: MadeUpTraining, other: MadeUpTraining, order: Tensor | None = None
) -> float:
    """Return by how much weights differ, those of the first in this order of objectives."""
    steps = range(STEPS_CHECKED)
    pairs = zip(
        one.run(fresh(scalarizer), steps),
        other.run(fresh(scalarizer), steps),
        strict=True,
    )
    return max(
        (found - (weights if order is None else weights[order])).abs().max().item()
        for weights, found in pairs
    )
