"""Affine motion of the whole image: six numbers an image."""

import pytest
import torch
import torch.nn.functional as F

from moat.geometry.grids import identity_grid, resample
from moat.threats import RT, search

THREAT = RT(epsilon=2, step_size=0.01)


def increment(x: torch.Tensor, matrix: list[list[float]]) -> tuple[torch.Tensor]:
    """The increment that turns the identity into the matrix."""
    target = torch.tensor(matrix, dtype=x.dtype)
    return ((target - torch.eye(2, 3, dtype=x.dtype)).expand(len(x), 2, 3),)


def test_the_last_column_is_a_translation(batch):
    x, _ = batch
    moved = THREAT.apply(x, increment(x, [[1, 0, 2 / 8], [0, 1, 0]]))
    torch.testing.assert_close(moved[..., :-1], x[..., 1:], rtol=0, atol=1e-12)


def test_a_quarter_turn_is_exact(batch):
    x, _ = batch
    turned = THREAT.apply(x, increment(x, [[0, -1, 0], [1, 0, 0]]))
    torch.testing.assert_close(turned, torch.rot90(x, 1, (2, 3)), rtol=0, atol=1e-12)


def test_minus_one_mirrors_the_image(batch):
    x, _ = batch
    mirrored = THREAT.apply(x, increment(x, [[-1, 0, 0], [0, 1, 0]]))
    torch.testing.assert_close(mirrored, x.flip(3), rtol=0, atol=1e-12)


def test_one_step_follows_the_sign_of_the_gradient_by_the_chain_rule(tiny_model, batch):
    x, y = batch
    threat = RT(epsilon=0.3, step_size=0.01, steps=1, start="noise")
    climb = threat.climb(x, y, generator=torch.Generator().manual_seed(0))
    (trace,) = search(tiny_model, [threat], x, y, generator=torch.Generator().manual_seed(0))
    tiny_model.eval()
    points = torch.cat([identity_grid(x), torch.ones(len(x), 8, 8, 1, dtype=x.dtype)], -1)
    matrix = torch.eye(2, 3, dtype=x.dtype) + climb.start[0]
    grid = torch.einsum("bhwj,bij->bhwi", points, matrix).requires_grad_()
    loss = F.cross_entropy(tiny_model(resample(x, grid)), y, reduction="sum")
    (to_grid,) = torch.autograd.grad(loss, grid)
    to_matrix = torch.einsum("bhwi,bhwj->bij", to_grid, points)
    torch.testing.assert_close(
        trace.w[0] - climb.start[0], 0.01 * to_matrix.sign(), rtol=0, atol=1e-12
    )


def test_all_six_entries_are_searched_and_each_image_has_its_own(tiny_model, batch):
    (trace,) = search(tiny_model, [RT(epsilon=0.3, step_size=0.02, steps=3)], *batch)
    (matrix,) = trace.w
    assert matrix.shape == (12, 2, 3)
    assert (matrix != 0).all()
    assert len(matrix.sign().flatten(1).unique(dim=0)) > 3


@pytest.mark.parametrize(("step_size", "reach"), [(0.02, 0.08), (0.15, 0.3)])
def test_no_entry_is_larger_than_the_steps_or_epsilon_allow(tiny_model, batch, step_size, reach):
    (trace,) = search(tiny_model, [RT(epsilon=0.3, step_size=step_size, steps=4)], *batch)
    assert trace.w[0].abs().max().item() == pytest.approx(reach)
