"""UPGrad against a quadratic program for each objective, by quadprog."""

import numpy as np
import pytest
import torch
from qpsolvers import solve_qp

from moat.scalarizers import UPGrad, upgrad
from moat.scalarizers.cosines import directions_of
from moat.scalarizers.upgrad import added_by_set, added_by_sweeps


def test_each_gradient_is_projected_onto_the_directions_that_raise_none(many_gradients, ones):
    for gradients in many_gradients:
        k, gramian = len(gradients), gradients @ gradients.T
        lengths, cosines = gradients.norm(dim=1), directions_of(gramian).ridged().numpy()
        projected = [
            solve_qp(2 * cosines, np.zeros(k), lb=np.eye(k)[i], solver="quadprog") for i in range(k)
        ]
        shares = lengths[:, None] * torch.tensor(np.stack(projected)) / lengths
        expected = shares.mean(0) @ gradients
        found = UPGrad().weights(gramian, ones) @ gradients
        assert torch.allclose(found, expected, atol=1e-5 * gradients.norm())


def test_no_objective_rises_to_first_order(many_gradients, ones):
    for gradients in many_gradients:
        step = UPGrad().weights(gradients @ gradients.T, ones) @ gradients
        slopes = gradients @ step / gradients.norm(dim=1)
        assert (slopes >= -1e-3 * gradients.norm()).all()


def test_without_a_conflict_it_is_the_mean(ones):
    gramian = torch.tensor([[1.0, 0.2, 0.0], [0.2, 4.0, 0.5], [0.0, 0.5, 9.0]])
    assert UPGrad().weights(gramian, ones).tolist() == pytest.approx([1 / 3] * 3)


def test_both_solvers_find_the_same_projections(many_gradients):
    for gradients in many_gradients[:10]:
        cosines = directions_of(gradients @ gradients.T).ridged()
        whole = [
            torch.eye(len(cosines)) + find(cosines) for find in (added_by_set, added_by_sweeps)
        ]
        one, other = ((w @ cosines * w).sum(1) for w in whole)
        assert torch.allclose(one, other, atol=1e-3)


def test_above_the_limit_of_the_exact_solver_the_other_one_is_asked(monkeypatch, ones):
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [0.3, 1.0]], dtype=torch.float64)
    gramian = gradients @ gradients.T
    expected = UPGrad().weights(gramian, ones) @ gradients
    monkeypatch.setattr(upgrad, "EXACT_AT_MOST", 2)
    monkeypatch.setattr(upgrad, "added_by_set", None)
    assert torch.allclose(UPGrad().weights(gramian, ones) @ gradients, expected, atol=1e-5)
