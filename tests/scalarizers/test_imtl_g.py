"""IMTL-G: equal projections onto all gradients."""

import pytest
import torch

from moat.scalarizers import IMTLG


def test_the_direction_is_as_close_to_one_gradient_as_to_every_other(many_gradients, ones):
    checked = 0
    for gradients in many_gradients:
        gramian = gradients @ gradients.T
        weights = IMTLG().weights(gramian, ones)
        assert weights.isfinite().all()
        if torch.linalg.cond(gramian) > 1e6 or not weights.any():
            continue
        assert weights.sum().item() == pytest.approx(1)
        projections = gradients @ (weights @ gradients) / gradients.norm(dim=1)
        assert torch.allclose(projections, projections.mean().expand(len(gradients)), rtol=1e-2)
        checked += 1
    assert checked > 10


def test_for_two_objectives_the_weights_are_inverse_to_the_lengths(ones):
    gramian = torch.tensor([[9.0, 1.0], [1.0, 1.0]])
    assert IMTLG().weights(gramian, ones).tolist() == pytest.approx([0.25, 0.75], abs=1e-6)


def test_a_gradient_of_0_has_the_weight_0(ones):
    weights = IMTLG().weights(torch.diag(torch.tensor([0.0, 4.0, 1.0])), ones)
    assert weights.tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert not IMTLG().weights(torch.zeros(3, 3), ones).any()
