"""Cosines and lengths of gradients."""

import torch

from moat.scalarizers.cosines import directions_of


def test_they_are_those_of_the_gradients(many_gradients):
    for gradients in many_gradients:
        units = gradients / gradients.norm(dim=1, keepdim=True)
        found = directions_of(gradients @ gradients.T)
        assert torch.allclose(found.cosines, units @ units.T, atol=1e-9)
        assert torch.allclose(found.lengths, gradients.norm(dim=1))
        assert found.alive.all()


def test_a_gradient_of_0_is_at_a_right_angle_to_all():
    found = directions_of(torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    assert found.cosines.tolist() == [[1, 0], [0, 1]]
    assert found.lengths.tolist() == [2, 1]
    assert found.alive.tolist() == [True, False]
