"""Nash-MTL: the bargaining solution, to the last digit that float64 has."""

import pytest
import torch

from moat.scalarizers import Nash
from moat.scalarizers.nash import bargain


def test_each_gradient_s_share_is_its_weight_s_inverse(many_gradients, ones):
    for gradients in many_gradients:
        gramian = gradients @ gradients.T
        rule = Nash(max_norm=1e9)
        weights = rule.weights(gramian, ones)
        assert (weights > 0).all()
        products = weights * (gramian / torch.linalg.matrix_norm(gramian) @ weights)
        assert rule.log()["residual"] < 1e-6
        if torch.linalg.cond(gramian) < 1e6:  # a ridge takes part where gradients are dependent
            assert torch.allclose(products, torch.ones_like(products), atol=1e-4)


def test_for_two_objectives_it_is_the_closed_form(ones):
    a, b, inner = 2.0, 0.5, -0.3
    gramian = torch.tensor([[a * a, inner], [inner, b * b]], dtype=torch.float64)
    first = 1 / (a * a + inner * a / b) ** 0.5  # β₁ = β₂ for the cosines, hence α₁ a = α₂ b
    weights = Nash(max_norm=1e9).weights(gramian, ones)
    norm = torch.linalg.matrix_norm(gramian).sqrt()
    assert (weights / norm).tolist() == pytest.approx([first, first * a / b], rel=1e-5)


def test_the_direction_is_blind_to_the_scale_of_each_gradient_and_has_a_longest_length(
    many_gradients, ones
):
    for gradients in many_gradients:
        scales = torch.logspace(3, -3, len(gradients), dtype=torch.float64)[:, None]
        found = []
        for version in (gradients, scales * gradients):
            weights = Nash(max_norm=0.7).weights(version @ version.T, ones)
            found.append(weights @ version)
            assert found[-1].norm() <= 0.7 * (1 + 1e-6)
        one, other = (d / d.norm().clamp(min=1e-12) for d in found)
        assert torch.allclose(one, other, atol=1e-4) or found[0].norm() < 1e-3


@pytest.mark.parametrize("cosine", [-1.0, -1 + 1e-6, -0.9, 0.0, 0.9, 1.0])
@pytest.mark.parametrize("k", [2, 3, 8])
def test_the_newton_steps_end_at_a_solution_from_any_start(cosine, k):
    lowest = -1 / (k - 1)  # of equal cosines between k vectors
    matrix = torch.full((k, k), max(cosine, lowest), dtype=torch.float64)
    matrix = matrix.fill_diagonal_(1.0) + 1e-7 * torch.eye(k)
    shares, residual = bargain(matrix)
    assert (shares > 0).all()
    assert residual < 1e-6


def test_a_gradient_of_0_has_no_say(ones):
    gramian = torch.diag(torch.tensor([0.0, 4.0, 1.0]))
    weights = Nash(max_norm=1e9).weights(gramian, ones)
    assert weights[0] == 0
    alone = Nash(max_norm=1e9).weights(gramian[1:, 1:], ones)
    assert torch.allclose(weights[1:], alone)
