"""Schedules and optimizers are torch's, with the recipe's numbers."""

import warnings
from math import ceil

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import floats

from moat.training import SGD, AdamW, Constant, Cosine, MultiStep


def rates(schedule, epochs=4, steps=5):
    optimizer = SGD(lr=1.0).build([torch.nn.Parameter(torch.zeros(1))])
    scheduler = schedule.build(optimizer, epochs * steps, steps)
    found = []
    for _ in range(epochs * steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found, optimizer.param_groups[0]["lr"]


def test_constant_stays():
    assert set(rates(Constant())[0]) == {1.0}


def test_multi_step_counts_epochs():
    found, _ = rates(MultiStep(milestones=(1, 3), gamma=0.5))
    assert found == [1.0] * 5 + [0.5] * 10 + [0.25] * 5


def test_cosine_falls_to_zero_after_the_last_step():
    found, last = rates(Cosine())
    assert found == sorted(found, reverse=True)
    assert found[10] == pytest.approx(0.5)
    assert last == pytest.approx(0, abs=1e-12)


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValueError, match="nesterov = true needs a momentum above 0"):
        SGD(lr=0.1, nesterov=True)


def test_optimizers_take_the_recipe_s_numbers():
    parameter = [torch.nn.Parameter(torch.zeros(1))]
    group = SGD(lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True).build(parameter)
    assert group.param_groups[0] | {"momentum": 0.9, "nesterov": True} == group.param_groups[0]
    with warnings.catch_warnings():
        adam = AdamW(lr=0.1, beta1=0.8).build(parameter)
    assert adam.param_groups[0]["betas"] == (0.8, 0.999)


def test_milestones_ascend():
    with pytest.raises(ValueError, match=r"milestones should ascend, not be \[3, 1\]"):
        MultiStep(milestones=(3, 1))


SCHEDULES = {
    "constant": Constant(),
    "cosine": Cosine(),
    "multi-step": MultiStep(milestones=(2, 3), gamma=0.5),
}


@pytest.mark.parametrize("name", SCHEDULES)
@given(ratio=floats(0.01, 0.99))
def test_a_warmup_raises_the_rate_step_by_step_and_then_the_schedule_goes_on(name, ratio):
    schedule = SCHEDULES[name]
    found, last = rates(schedule.model_copy(update={"warmup_ratio": ratio}))
    rising = min(ceil(ratio * len(found)), len(found) - 1)
    assert found[:rising] == [pytest.approx((step + 1) / rising) for step in range(rising)]
    after = found[rising:]
    assert after == sorted(after, reverse=True)
    if name == "multi-step":  # its epochs count from the beginning
        assert after == rates(schedule)[0][rising:]
    else:
        assert after[0] == 1.0
    if name == "cosine":
        assert last == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5])
def test_a_warmup_is_a_share_below_one(ratio):
    with pytest.raises(ValueError, match="warmup_ratio"):
        Cosine(warmup_ratio=ratio)
