"""Resampling that can be differentiated twice."""

import pytest
import torch
import torch.nn.functional as F

from moat.geometry.grids import identity_grid, resample
from moat.geometry.second_order import SecondOrder, bilinear_samples


def images_and_grid(shape=(2, 3, 5, 7), spread=2.5):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    grid = spread * (2 * torch.rand(2, 4, 6, 2, generator=generator, dtype=torch.float64) - 1)
    return x.requires_grad_(), grid.requires_grad_()


@pytest.mark.parametrize("spread", [0.5, 1.2, 2.5, 1e6])
def test_values_and_gradients_are_those_of_grid_sample(spread):
    x, grid = images_and_grid(spread=spread)
    own, theirs = bilinear_samples(x, grid), resample(x, grid)
    torch.testing.assert_close(own, theirs, atol=1e-9, rtol=0)
    weights = torch.rand_like(own)
    for mine, torchs in zip(
        torch.autograd.grad(own, (x, grid), weights),
        torch.autograd.grad(theirs, (x, grid), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, torchs, atol=1e-9, rtol=0)


def test_the_second_derivative_is_that_of_finite_differences():
    x, grid = images_and_grid((2, 1, 5, 7), spread=1.0)
    assert torch.autograd.gradgradcheck(bilinear_samples, (x, grid))


def test_in_the_context_any_call_of_grid_sample_can_be_differentiated_twice():
    x, _ = images_and_grid()
    grid = (identity_grid(x) + 0.05).detach().requires_grad_()
    with SecondOrder():
        for call in (
            lambda: F.grid_sample(x, grid, align_corners=False),
            lambda: F.grid_sample(grid=grid, input=x, padding_mode="zeros", align_corners=False),
        ):
            (slope,) = torch.autograd.grad(call().square().sum(), grid, create_graph=True)
            assert torch.autograd.grad(slope.square().sum(), grid)[0].isfinite().all()


def test_a_call_of_another_convention_stays_torchs():
    x, grid = images_and_grid()
    for other in (
        {"align_corners": True},
        {"align_corners": False, "mode": "nearest"},
        {"align_corners": False, "padding_mode": "border"},
    ):
        with SecondOrder():
            within = F.grid_sample(x, grid, **other)
        assert torch.equal(within, F.grid_sample(x, grid, **other))


def test_a_point_that_is_not_a_number_reads_no_memory_outside_of_the_image():
    x, grid = images_and_grid()
    broken = torch.full_like(grid, float("nan"))
    assert bilinear_samples(x, broken).shape == (2, 3, 4, 6)
