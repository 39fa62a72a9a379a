"""Aligned-MTL against a singular value decomposition of the gradients."""

import torch

from moat.scalarizers import Aligned


def test_the_gradients_become_orthogonal_and_as_long_as_the_smallest_singular_value(
    many_gradients, ones
):
    for gradients in many_gradients:
        u, sizes, v = torch.linalg.svd(gradients, full_matrices=False)
        kept = sizes**2 > len(gradients) * torch.finfo(torch.float64).eps * sizes[0] ** 2
        aligned = sizes[kept][-1] * u[:, kept] @ v[kept]
        found = Aligned().weights(gradients @ gradients.T, ones) @ gradients
        assert torch.allclose(found, aligned.mean(0), atol=1e-6 * gradients.norm())


def test_rounding_of_float32_is_no_direction(ones):
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(2, 50, generator=generator)
    gradients = torch.cat([gradients, gradients.sum(0, keepdim=True)])
    weights = Aligned().weights(gradients @ gradients.T, ones)
    assert 0.01 < weights.abs().amax() < 1


def test_without_a_gradient_there_are_no_weights(ones):
    assert not Aligned().weights(torch.zeros(3, 3), ones).any()
