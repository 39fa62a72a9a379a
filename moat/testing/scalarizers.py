"""The promises of every scalarizer, through the life cycle plan, weights, step, update, state.

Example:
    >>> from moat.scalarizers import Average
    >>> check_scalarizer(Average())
"""

import io
from dataclasses import replace
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from moat.names import NATURAL
from moat.objectives import LossMatrix, by_entry
from moat.public import public
from moat.randomness import generator_of
from moat.scalarizers import GradientScalarizer, LaggedScalarizer, LossScalarizer, Scalarizer
from moat.types import Mask

BATCH_SIZE = 6
STEPS_CHECKED = 5
WEIGHT_TOLERANCE = 1e-6
CORRECT_BELOW = 0.3  # nats: an example with a smaller made-up loss is classified correctly


@public
def check_scalarizer(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Run every check with the natural objective and `objectives - 1` threats.

    Raises AssertionError with the first broken promise. The scalarizer itself stays unchanged: each
    check runs on a fresh one with the same fields.
    """
    for check in (check_plan, check_weights, check_order_of_examples, check_state):
        check(scalarizer, objectives)


@public
def check_plan(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that the plan is a bool mask, not empty, and equal for equal generators."""
    names = _names(objectives)
    plans = [_fresh(scalarizer).plan(names, BATCH_SIZE, _seeded(3)) for _ in range(2)]
    plan = plans[0]
    known = [(torch.bool, (objectives,)), (torch.bool, (objectives, BATCH_SIZE))]
    assert (plan.dtype, tuple(plan.shape)) in known, _say(
        scalarizer,
        f"the plan is not a bool mask of shape {(objectives,)} or {(objectives, BATCH_SIZE)}, but "
        f"{plan.dtype} of {tuple(plan.shape)}",
    )
    assert plan.any(), _say(scalarizer, "the plan measures nothing")
    assert torch.equal(*plans), _say(scalarizer, "equal generators gave different plans")


@public
def check_weights(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check the weights: their shape, finite, detached, zero for unmeasured objectives.

    If `simplex` is True, they are non-negative and sum to 1.
    """
    running = _fresh(scalarizer)
    for step in range(STEPS_CHECKED):
        seen = _next(running, objectives, step)
        weights, shapes = seen.weights, {(objectives,), (objectives, BATCH_SIZE)}
        if not isinstance(running, LossScalarizer):
            shapes = {(objectives,)}
        assert tuple(weights.shape) in shapes, _say(
            scalarizer, f"the weights have the shape {tuple(weights.shape)}"
        )
        assert not weights.requires_grad, _say(scalarizer, "the weights are not detached")
        assert weights.isfinite().all(), _say(scalarizer, f"the weights {weights} are not finite")
        _require_measured(scalarizer, weights, seen.plan)
        if running.simplex:
            off = max(-weights.min().item(), (weights.sum(0) - 1).abs().max().item())
            assert off < WEIGHT_TOLERANCE, _say(
                scalarizer, f"`simplex` is True, but the weights are {off:.3g} off the simplex"
            )
        running.update(seen.losses)


@public
def check_order_of_examples(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that the weights do not depend on the order of the examples."""
    one, other = _fresh(scalarizer), _fresh(scalarizer)
    order = torch.randperm(BATCH_SIZE, generator=_seeded(4))
    for step in range(STEPS_CHECKED):
        seen, shuffled = _next(one, objectives, step), _next(other, objectives, step, order)
        expected = seen.weights if seen.weights.ndim == 1 else seen.weights[:, order]
        assert torch.allclose(shuffled.weights, expected, rtol=0, atol=WEIGHT_TOLERANCE), _say(
            scalarizer, "the weights depend on the order of the examples"
        )
        one.update(seen.losses)
        other.update(shuffled.losses)


@public
def check_state(scalarizer: Scalarizer, objectives: int = 4) -> None:
    """Check that a restored state gives the weights of an undisturbed scalarizer.

    The state survives `torch.save` and `torch.load(weights_only=True)`, and is a copy: later steps
    do not change it.
    """
    undisturbed = _fresh(scalarizer)
    _run(undisturbed, objectives, range(STEPS_CHECKED))
    state, file = undisturbed.state_dict(), io.BytesIO()
    torch.save(state, file)
    expected = _run(undisturbed, objectives, range(STEPS_CHECKED, 2 * STEPS_CHECKED))
    file.seek(0)
    for how, taken in (
        ("read from a file", torch.load(file, weights_only=True)),
        ("kept in memory while training went on", state),
    ):
        resumed = _fresh(scalarizer)
        resumed.load_state_dict(taken)
        found = _run(resumed, objectives, range(STEPS_CHECKED, 2 * STEPS_CHECKED))
        assert all(map(torch.equal, found, expected)), _say(
            scalarizer, f"its state, {how}, gives other weights than an undisturbed run"
        )


class _Step(NamedTuple):
    plan: Mask
    losses: LossMatrix
    weights: Tensor


def _next(scalarizer: Scalarizer, objectives: int, step: int, order: Tensor | None = None) -> _Step:
    """Plan and weigh one step of made-up training; losses fall, unmeasured ones are NaN."""
    names, generator = _names(objectives), _seeded(step)
    plan = scalarizer.plan(names, BATCH_SIZE, _seeded(step))
    scale = torch.arange(1, objectives + 1, dtype=torch.float64)[:, None] / (1 + step)
    values = scale * torch.rand(objectives, BATCH_SIZE, generator=generator, dtype=torch.float64)
    values = values.masked_fill(~by_entry(plan, BATCH_SIZE), float("nan"))
    directions = torch.randn(objectives, 9, generator=generator, dtype=torch.float64)
    if order is not None:
        values, plan = values[:, order], plan if plan.ndim == 1 else plan[:, order]
    losses = LossMatrix(values, names, correct=values < CORRECT_BELOW, measured=plan)
    match scalarizer:
        case LaggedScalarizer():
            weights = scalarizer.weights(names)
        case LossScalarizer():
            weights = scalarizer.weights(losses)
        case GradientScalarizer():
            weights = scalarizer.weights(directions @ directions.T, losses)
        case _:
            raise AssertionError(_say(scalarizer, "it is neither lagged, loss nor gradient"))
    return _Step(plan, losses, weights)


def _run(scalarizer: Scalarizer, objectives: int, steps: range) -> list[Tensor]:
    found = []
    for step in steps:
        seen = _next(scalarizer, objectives, step)
        found.append(seen.weights.clone())
        scalarizer.update(seen.losses)
    return found


def _require_measured(scalarizer: Scalarizer, weights: Tensor, plan: Mask) -> None:
    if weights.ndim == 1:
        blind = weights[~by_entry(plan, BATCH_SIZE).any(1)]
    else:
        blind = weights[~by_entry(plan, BATCH_SIZE)]
    assert not blind.any(), _say(scalarizer, "an unplanned loss has a weight")


def _fresh(scalarizer: Scalarizer) -> Scalarizer:
    return cast(Scalarizer, replace(cast(Any, scalarizer)))


def _names(objectives: int) -> tuple[str, ...]:
    return (NATURAL, *(f"threat-{number}" for number in range(1, objectives)))


def _seeded(number: int) -> torch.Generator:
    return generator_of(number)


def _say(scalarizer: Scalarizer, sentence: str) -> str:
    return f"{scalarizer!r}: {sentence}."
