import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry.grids import affine_grid, identity_affine, identity_grid, resample

seeds = st.integers(0, 2**31)
sides = st.integers(2, 9)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def shifted(x: torch.Tensor, pixels_right: int, pixels_down: int) -> torch.Tensor:
    """Read `pixels_right` to the right and `pixels_down` below, by slices; black outside."""
    height, width = x.shape[2:]
    reach = max(abs(pixels_right), abs(pixels_down))
    padded = F.pad(x, [reach] * 4)
    top, left = reach + pixels_down, reach + pixels_right
    return padded[:, :, top : top + height, left : left + width]


def slow_resample(x: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Bilinear interpolation a pixel at a time, from its definition."""
    batch, channels, height, width = x.shape

    def pixel(image: torch.Tensor, row: int, column: int) -> torch.Tensor:
        inside = 0 <= row < height and 0 <= column < width
        return image[:, row, column] if inside else x.new_zeros(channels)

    out = x.new_zeros(batch, channels, *grid.shape[1:3])
    for b in range(batch):
        for i in range(grid.shape[1]):
            for j in range(grid.shape[2]):
                # A pixel is an area: the centre of column c lies at (2c + 1) / width - 1.
                column = ((grid[b, i, j, 0].item() + 1) * width - 1) / 2
                row = ((grid[b, i, j, 1].item() + 1) * height - 1) / 2
                left, top = math.floor(column), math.floor(row)
                right, down = column - left, row - top
                out[b, :, i, j] = (
                    (1 - down) * (1 - right) * pixel(x[b], top, left)
                    + (1 - down) * right * pixel(x[b], top, left + 1)
                    + down * (1 - right) * pixel(x[b], top + 1, left)
                    + down * right * pixel(x[b], top + 1, left + 1)
                )
    return out


@given(height=sides, width=sides, seed=seeds)
def test_the_identity_grid_gives_back_the_images(height, width, seed):
    x = noise(2, 3, height, width, seed=seed)
    torch.testing.assert_close(resample(x, identity_grid(x)), x, rtol=0, atol=1e-14)


@given(height=sides, width=sides)
def test_the_identity_matrix_gives_the_identity_grid(height, width):
    x = noise(3, 1, height, width)
    torch.testing.assert_close(affine_grid(identity_affine(x), x), identity_grid(x))


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-1, 0), (0, 1), (0, -1), (2, -1)])
def test_a_grid_moved_by_one_pixel_reads_the_neighbour(right, down):
    x = noise(2, 3, 5, 7)
    moved = identity_grid(x) + x.new_tensor([2 * right / 7, 2 * down / 5])
    torch.testing.assert_close(resample(x, moved), shifted(x, right, down), rtol=0, atol=1e-13)


@given(height=sides, width=sides, right=st.integers(-3, 3), down=st.integers(-3, 3))
def test_d_units_move_half_of_d_times_the_width_in_pixels(height, width, right, down):
    x = noise(1, 2, height, width)
    units = x.new_tensor([right / (width / 2), down / (height / 2)])
    read = resample(x, identity_grid(x) + units)
    torch.testing.assert_close(read, shifted(x, right, down), rtol=0, atol=1e-13)


def test_the_offset_of_a_matrix_moves_as_a_displacement_does():
    x = noise(2, 1, 6, 8)
    offset = x.new_tensor([2 / 8, -2 / 6])
    matrix = identity_affine(x).clone()
    matrix[:, :, 2] = offset
    torch.testing.assert_close(affine_grid(matrix, x), identity_grid(x) + offset)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turn_by_quarters_is_the_turn_of_the_pixels(quarters):
    x = noise(2, 3, 6, 6)
    angle = quarters * math.pi / 2
    # The grid points from output to input, so what one sees turns against the matrix.
    turn = x.new_tensor(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]]
    )
    turned = resample(x, affine_grid(turn.expand(2, 2, 3), x))
    expected = torch.rot90(x, quarters, dims=(2, 3))
    torch.testing.assert_close(turned, expected, rtol=0, atol=1e-13)


@given(height=sides, width=sides, seed=seeds)
def test_an_affine_grid_is_that_of_torch(height, width, seed):
    x = noise(3, 1, height, width, seed=seed)
    matrix = 2 * noise(3, 2, 3, seed=seed + 1) - 1
    theirs = F.affine_grid(matrix, list(x.shape), align_corners=False)
    torch.testing.assert_close(affine_grid(matrix, x), theirs, rtol=0, atol=1e-14)


@given(height=st.integers(2, 5), width=st.integers(2, 5), seed=seeds)
def test_resampling_is_bilinear_interpolation_with_black_outside(height, width, seed):
    x = noise(1, 2, height, width, seed=seed)
    grid = 3 * noise(1, height, width, 2, seed=seed + 1) - 1.5
    torch.testing.assert_close(resample(x, grid), slow_resample(x, grid), rtol=0, atol=1e-13)


def test_points_far_outside_read_black():
    x = noise(1, 1, 4, 4) + 1
    assert resample(x, identity_grid(x) + 3).abs().max() == 0


def test_resampling_with_weights_that_sum_to_one_stays_in_the_box():
    x = noise(2, 1, 6, 6).round()
    read = resample(x, 3 * noise(2, 6, 6, 2, seed=3) - 1.5)
    assert read.min() >= 0
    assert read.max() <= 1 + 1e-14


def test_the_gradient_to_the_grid_is_right_at_generic_points():
    x = noise(2, 2, 4, 5)
    grid = (identity_grid(x) + 0.31 * (noise(2, 4, 5, 2, seed=2) - 0.5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda points: resample(x, points), grid, eps=1e-7)


def test_the_gradient_to_the_matrix_is_right_at_generic_points():
    x = noise(2, 1, 4, 4)
    matrix = (identity_affine(x) + 0.1 * (noise(2, 2, 3, seed=4) - 0.5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: resample(x, affine_grid(m, x)), matrix, eps=1e-7)


def test_a_grid_first_made_in_inference_mode_serves_autograd_later():
    x = noise(1, 1, 11, 13)  # a size that no other test asks for, so that it is made here
    with torch.inference_mode():
        identity_grid(x)
    matrix = identity_affine(x).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(resample(x, affine_grid(matrix, x)).square().sum(), matrix)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grids_have_the_type_of_the_images(dtype):
    x = noise(1, 1, 3, 3).to(dtype)
    assert identity_grid(x).dtype == affine_grid(identity_affine(x), x).dtype == dtype
