"""Every way to move an image: nothing moved, one pixel, and quarter turns, against plain slices."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from moat.geometry.grids import affine_grid, identity_affine, identity_grid, rigid_increment
from moat.threats import RT, Flow, Integrated, RTGrid, StAdv

FLOW = Flow(epsilon=2, step_size=1)
MATRIX = RT(epsilon=2, step_size=1)
BOTH = Integrated(flow_epsilon=2, flow_step_size=1, rt_epsilon=2, rt_step_size=1)
SMOOTH = StAdv(step_size=1)


def displacement(x: Tensor, increment: Tensor) -> Tensor:
    """Return the displacement of every pixel under [I | 0] + increment."""
    return affine_grid(identity_affine(x) + increment, x) - identity_grid(x)


WAYS = {
    "flow": lambda x, m: FLOW.apply(x, (displacement(x, m),)),
    "rt": lambda x, m: MATRIX.apply(x, (m,)),
    "integrated, by its flow": lambda x, m: BOTH.apply(x, (displacement(x, m), 0 * m)),
    "integrated, by its matrix": lambda x, m: BOTH.apply(x, (0 * displacement(x, m), m)),
    "stadv": lambda x, m: SMOOTH.apply(x, (displacement(x, m),)),
    "rt-grid": lambda x, m: RTGrid().climb(x, torch.zeros(len(x)).long()).apply(x, (m,)),
}
every_way = pytest.mark.parametrize("move", WAYS.values(), ids=WAYS)


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def increment(x: Tensor, degrees: float = 0, right: float = 0, down: float = 0) -> Tensor:
    """Return what turns and shifts the reading grid, in pixels."""
    return rigid_increment(x.new_tensor([[degrees, right, down]]).expand(len(x), 3), x)


def read_beside(x: Tensor, right: int, down: int) -> Tensor:
    """Read each pixel's neighbour by slices; black outside."""
    height, width = x.shape[2:]
    return F.pad(x, [1] * 4)[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width]


@every_way
@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (2, 1, 5, 8)])
def test_nothing_moved_is_the_image(move, shape):
    x = noise(*shape)
    torch.testing.assert_close(move(x, increment(x)), x, rtol=0, atol=1e-13)


@every_way
@pytest.mark.parametrize(("right", "down"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_one_pixel_is_the_neighbour_and_black_beyond_the_border(move, right, down):
    x = noise(2, 3, 5, 8) + 1  # nothing is black but what lies outside
    moved = move(x, increment(x, right=right, down=down))
    torch.testing.assert_close(moved, read_beside(x, right, down), rtol=0, atol=1e-13)


@every_way
@pytest.mark.parametrize("side", [6, 7])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_lose_no_pixel(move, side, quarters):
    x = noise(2, 3, side, side)
    turned = move(x, increment(x, degrees=90 * quarters))
    torch.testing.assert_close(turned, torch.rot90(x, quarters, dims=(2, 3)), rtol=0, atol=1e-13)


@every_way
def test_a_half_turn_needs_no_square(move):
    x = noise(2, 1, 5, 8)
    turned = move(x, increment(x, degrees=180))
    torch.testing.assert_close(turned, torch.rot90(x, 2, dims=(2, 3)), rtol=0, atol=1e-13)


@every_way
@pytest.mark.parametrize(("place", "seen"), [((4, 9), (1, 6)), ((1, 6), (4, 3))])
def test_a_turn_is_of_pixels_also_where_the_image_is_no_square(move, place, seen):
    x = torch.zeros(1, 1, 9, 13, dtype=torch.float64)
    x[0, 0][place] = 1.0  # three pixels right of the centre, (4, 6), or above it
    turned = move(x, increment(x, degrees=90))
    expected = torch.zeros_like(x)
    expected[0, 0][seen] = 1.0
    torch.testing.assert_close(turned, expected, rtol=0, atol=1e-13)
