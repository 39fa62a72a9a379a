"""Learnt log-variances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.objectives import LossMatrix
from moat.scalarizers import UncertaintyWeighting

NAMES = ("natural", "pgd")


def losses_of(*means: float) -> LossMatrix:
    return LossMatrix(torch.tensor(means, dtype=torch.float64)[:, None], NAMES)


@given(initial=st.integers(-30, 30).map(lambda tenths: tenths / 10), loss=st.floats(1e-3, 20))
def test_a_small_step_is_gradient_descent_on_the_paper_s_loss(initial, loss):
    rule = UncertaintyWeighting(initial=initial, lr=1e-5)
    s = torch.tensor([initial, initial], dtype=torch.float64, requires_grad=True)
    losses = losses_of(loss, 2 * loss)
    (slope,) = torch.autograd.grad(((-s).exp() * losses.means() + s / 2).sum(), s)
    rule.update(losses)
    moved = -rule.weights(NAMES).log() - s.detach()
    assert torch.allclose(moved, -1e-5 * slope, rtol=1e-2, atol=1e-12)


@pytest.mark.parametrize("lr", [0.01, 0.5, 100.0])
def test_at_rest_a_weight_is_one_over_twice_its_loss(lr):
    rule = UncertaintyWeighting(lr=lr)
    for _ in range(2000 if lr == 0.01 else 100):
        rule.update(losses_of(0.25, 4.0))
    assert rule.weights(NAMES).tolist() == pytest.approx([2.0, 0.125], rel=1e-3)


def test_it_never_overshoots_and_its_weights_are_bounded():
    rule = UncertaintyWeighting(lr=1.0, initial=-50.0)
    assert rule.weights(NAMES).tolist() == pytest.approx([4.85e8] * 2, rel=1e-2)
    rule.update(losses_of(5.0, 0.0))
    first, second = rule.weights(NAMES).tolist()
    assert first > 1 / 10  # where it would rest
    assert second == pytest.approx(4.85e8, rel=1e-2)
