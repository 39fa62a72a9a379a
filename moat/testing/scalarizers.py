"""The promises of every scalarizer, through the life cycle plan, weights, step, update, state.

Example:
    >>> from moat.scalarizers import Average
    >>> check_weights(Average())
"""

import io

import torch

from moat.objectives import by_entry
from moat.public import public
from moat.randomness import generator_of
from moat.scalarizers import LossScalarizer, Scalarizer
from moat.testing.breach import breach_of
from moat.testing.made_up_training import MadeUpTraining, WeighedStep, fresh
from moat.types import Mask

STEPS_CHECKED = 5
WEIGHT_TOLERANCE = 1e-6


@public
def check_plan(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that the plan is a bool mask, not empty, and equal for equal generators."""
    training = MadeUpTraining(objectives)
    names = training.names_for(scalarizer)
    plans = [fresh(scalarizer).plan(names, training.batch, generator_of(3)) for _ in range(2)]
    plan = plans[0]
    known = [(torch.bool, (objectives,)), (torch.bool, (objectives, training.batch))]
    assert (plan.dtype, tuple(plan.shape)) in known, breach_of(
        scalarizer,
        f"the plan is not a bool mask of shape {(objectives,)} or {(objectives, training.batch)}, "
        f"but {plan.dtype} of {tuple(plan.shape)}",
    )
    assert plan.any(), breach_of(scalarizer, "the plan measures nothing")
    assert torch.equal(*plans), breach_of(scalarizer, "equal generators gave different plans")


@public
def check_weights(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check the weights: their shape, finite, detached, zero for unmeasured objectives.

    Where `simplex` is True they are also never negative and sum to 1. Losses in float32 and in
    float64 are tried.
    """
    for dtype in (torch.float64, torch.float32):
        running, training = fresh(scalarizer), MadeUpTraining(objectives, dtype=dtype)
        for number in range(STEPS_CHECKED):
            seen = training.step(running, number)
            require_weights(running, seen, f" for losses in {dtype}")
            running.update(seen.losses)


def require_weights(scalarizer: Scalarizer, seen: WeighedStep, when: str) -> None:
    """Raise AssertionError unless the weights of a step have their shape and their values."""
    weights, (objectives, batch) = seen.weights, seen.losses.values.shape
    shapes: set[tuple[int, ...]] = {(objectives,)}
    if isinstance(scalarizer, LossScalarizer):
        shapes.add((objectives, batch))
    assert tuple(weights.shape) in shapes, breach_of(
        scalarizer, f"the weights have the shape {tuple(weights.shape)}"
    )
    assert weights.is_floating_point(), breach_of(scalarizer, f"the weights are {weights.dtype}")
    assert not weights.requires_grad, breach_of(scalarizer, "the weights are not detached")
    assert weights.isfinite().all(), breach_of(
        scalarizer, f"the weights {_shown(weights)} are not finite{when}"
    )
    _require_measured(scalarizer, weights, seen.plan)
    if scalarizer.simplex:
        off = max(-weights.min().item(), (weights.sum(0) - 1).abs().max().item())
        assert off < WEIGHT_TOLERANCE, breach_of(
            scalarizer,
            f"`simplex` is True, but the weights are {off:.3g} off the simplex{when}",
        )


@public
def check_order_of_examples(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that the weights do not depend on the order of the examples."""
    training = MadeUpTraining(objectives)
    order = torch.randperm(training.batch, generator=generator_of(4)).tolist()
    shuffled = MadeUpTraining(objectives, examples=tuple(order))
    one, other = fresh(scalarizer), fresh(scalarizer)
    for weights, found in zip(
        training.run(one, range(STEPS_CHECKED)),
        shuffled.run(other, range(STEPS_CHECKED)),
        strict=True,
    ):
        expected = weights if weights.ndim == 1 else weights[:, order]
        assert torch.allclose(found, expected, rtol=0, atol=WEIGHT_TOLERANCE), breach_of(
            scalarizer, "the weights depend on the order of the examples"
        )


@public
def check_state(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that a state restored in mid-training gives the weights of an undisturbed run.

    The state survives `torch.save` and `torch.load(weights_only=True)`. It is not a live view:
    nothing after `state_dict` changes it, nor does training on from it.
    """
    undisturbed, training = fresh(scalarizer), MadeUpTraining(objectives)
    training.run(undisturbed, range(STEPS_CHECKED))
    state, file = undisturbed.state_dict(), io.BytesIO()
    torch.save(state, file)
    expected = training.run(undisturbed, range(STEPS_CHECKED, 2 * STEPS_CHECKED))
    file.seek(0)
    for how, taken in (
        ("read from a file", torch.load(file, weights_only=True)),
        ("kept in memory while training went on", state),
        ("after another one trained on from it", state),
    ):
        resumed = fresh(scalarizer)
        resumed.load_state_dict(taken)
        found = training.run(resumed, range(STEPS_CHECKED, 2 * STEPS_CHECKED))
        assert all(map(torch.equal, found, expected)), breach_of(
            scalarizer, f"its state, {how}, gives other weights than an undisturbed run"
        )


def _require_measured(scalarizer: Scalarizer, weights: torch.Tensor, plan: Mask) -> None:
    measured = by_entry(plan, 1) if weights.ndim == 2 and plan.ndim == 1 else plan
    blind = ~(measured.any(1) if weights.ndim == 1 and measured.ndim == 2 else measured)
    blind = blind.expand_as(weights)
    assert not (weights.masked_fill(~blind, 0) != 0).any(), breach_of(
        scalarizer, "an unplanned loss has a weight"
    )


def _shown(weights: torch.Tensor) -> str:
    return str(weights.flatten()[:8].tolist())
