"""Rules that are a function of the mean losses: their weights are its gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import DefinitionError, FieldError
from moat.objectives import LossMatrix
from moat.scalarizers import Average, BatchMax, SmoothTchebycheff, Softmax, Tchebycheff

NAMES = ("natural", "pgd", "flow", "rt")
P = torch.tensor([0.2, 0.7, 1.5, 0.4], dtype=torch.float64)
Z = torch.tensor([0.0, 0.3, 0.0, -0.2], dtype=torch.float64)
PREFERENCE = dict(zip(NAMES, P.tolist(), strict=True))
IDEAL = {"pgd": 0.3, "rt": -0.2}

SCALARIZATIONS = [
    (BatchMax(), lambda x: x[1:].amax()),
    (BatchMax(include_natural=True), lambda x: x.amax()),
    (Softmax(temperature=0.3), lambda x: 0.3 * torch.logsumexp(x[1:] / 0.3, 0)),
    (
        Softmax(temperature=2.0, include_natural=True),
        lambda x: 2.0 * torch.logsumexp(x / 2.0, 0),
    ),
    (Tchebycheff(), lambda x: x.amax()),
    (Tchebycheff(preference=PREFERENCE, ideal=IDEAL), lambda x: (P * (x - Z)).amax()),
    (Tchebycheff(preference=PREFERENCE, ideal=0.5), lambda x: (P * (x - 0.5)).amax()),
    (SmoothTchebycheff(temperature=0.2), lambda x: 0.2 * torch.logsumexp(x / 0.2, 0)),
    (
        SmoothTchebycheff(temperature=0.5, preference=PREFERENCE, ideal=IDEAL),
        lambda x: 0.5 * torch.logsumexp(P * (x - Z) / 0.5, 0),
    ),
]


def losses_of(means: list[float], spread: float = 0.0) -> LossMatrix:
    column = torch.tensor(means, dtype=torch.float64)[:, None]
    return LossMatrix(column * torch.tensor([1 - spread, 1 + spread]), NAMES[: len(means)])


@pytest.mark.parametrize(
    ("rule", "function"), SCALARIZATIONS, ids=[repr(rule) for rule, _ in SCALARIZATIONS]
)
@given(
    means=st.lists(st.floats(0, 20), min_size=4, max_size=4, unique=True), spread=st.floats(0, 0.9)
)
def test_the_weights_are_the_gradient_of_the_scalarization(rule, function, means, spread):
    losses = losses_of(means, spread)
    x = losses.means().clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(x), x)
    assert torch.allclose(rule.weights(losses), slope, rtol=1e-9, atol=1e-12)


def test_a_cold_softmax_is_the_maximum_and_a_hot_one_the_average():
    losses = losses_of([3.0, 1.0, 2.5, 2.0])
    for rule, limit in ((Softmax, BatchMax()), (SmoothTchebycheff, Tchebycheff())):
        cold = rule(temperature=1e-6).weights(losses)
        assert torch.allclose(cold, limit.weights(losses).double())
    hot = Softmax(temperature=1e9).weights(losses)
    assert torch.allclose(hot, Average().weights(NAMES))


def test_the_batch_trains_against_one_threat_and_among_equals_the_first():
    assert BatchMax().weights(losses_of([9.0, 1.0, 2.0, 2.0])).tolist() == [0, 0, 1, 0]
    assert Tchebycheff().weights(losses_of([2.0, 2.0, 2.0, 2.0])).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("rule", [Tchebycheff, SmoothTchebycheff])
def test_an_ideal_point_of_other_objectives_is_refused(rule):
    with pytest.raises(DefinitionError) as refused:
        rule(ideal={"rtt": 0.1}).plan(NAMES, 2)
    assert str(refused.value) == (
        "ideal names 'rtt', which is not an objective. Did you mean 'rt'?\n"
        "  The objectives: natural, pgd, flow, rt."
    )
    with pytest.raises(FieldError, match="ideal"):
        rule(ideal=float("nan"))


@pytest.mark.parametrize("rule", [Softmax, SmoothTchebycheff])
@pytest.mark.parametrize("temperature", [0, -1.0])
def test_a_temperature_is_above_0(rule, temperature):
    with pytest.raises(FieldError, match="temperature should be greater than 0"):
        rule(temperature=temperature)
