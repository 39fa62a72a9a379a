"""CAGrad: a certificate that its direction is the best of the ball, and an independent solver."""

import pytest
import torch

from moat.scalarizers import CAGrad, cagrad
from moat.scalarizers.cagrad import by_halving, by_support


@pytest.mark.parametrize("c", [0.1, 0.5, 0.9])
def test_no_direction_of_the_ball_descends_the_slowest_objective_faster(many_gradients, ones, c):
    """Weak duality: min_i <g_i, d> is at most <g_w, g_0> + c |g_0| |g_w|, for any w and d."""
    for gradients in many_gradients:
        gramian, mean = gradients @ gradients.T, gradients.mean(0)
        direction = CAGrad(c=c, rescale="none").weights(gramian, ones) @ gradients
        radius = c * mean.norm()
        assert (direction - mean).norm() <= radius * (1 + 1e-6)
        scaled = gramian / gramian.diagonal().amax()
        b = scaled.mean(1)
        combined = by_support(scaled, b, c * b.mean().clamp(min=0).sqrt()) @ gradients
        bound = combined @ mean + radius * combined.norm()
        assert (gradients @ direction).amin() >= bound - 1e-5 * gradients.norm() ** 2


def test_both_solvers_find_the_same_minimum(many_gradients):
    for gradients in many_gradients[:15]:
        gramian = gradients @ gradients.T
        gramian = gramian / gramian.diagonal().amax()
        b = gramian.mean(1)
        radius = 0.5 * b.mean().clamp(min=0).sqrt()

        def value(w, gramian=gramian, b=b, radius=radius):
            return (w @ b + radius * (w @ gramian @ w).clamp(min=0).sqrt()).item()

        found = [value(find(gramian, b, radius)) for find in (by_support, by_halving)]
        assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_above_the_limit_of_the_exact_solver_the_other_one_is_asked(
    monkeypatch, many_gradients, ones
):
    gramian = many_gradients[2] @ many_gradients[2].T
    expected = CAGrad().weights(gramian, ones)
    monkeypatch.setattr(cagrad, "EXACT_AT_MOST", 2)
    monkeypatch.setattr(cagrad, "by_support", None)
    assert torch.allclose(CAGrad().weights(gramian, ones), expected, atol=1e-4)


def test_a_radius_of_0_is_the_average_and_the_divisor_is_as_asked(many_gradients, ones):
    gramian = many_gradients[3] @ many_gradients[3].T
    k = len(gramian)
    assert CAGrad(c=0.0).weights(gramian, ones).tolist() == pytest.approx([1 / k] * k)
    plain = CAGrad(c=0.5, rescale="none").weights(gramian, ones)
    assert torch.allclose(CAGrad(c=0.5, rescale="1+c").weights(gramian, ones), plain / 1.5)
    assert torch.allclose(CAGrad(c=0.5).weights(gramian, ones), plain / 1.25)


def test_gradients_that_cancel_leave_the_average(ones):
    gramian = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert CAGrad().weights(gramian, ones).isfinite().all()
