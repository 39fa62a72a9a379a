"""Flow and affine motion in one sampling grid."""

import pytest
import torch

from moat.testing import examples
from moat.threats import RT, Flow, Integrated, search

NUMBERS = {"flow_step_size": 0.02, "rt_step_size": 0.03}
THREAT = Integrated(flow_epsilon=0.3, rt_epsilon=0.4, **NUMBERS)
NOTHING = 1e-15  # a radius must be positive


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(2)


def blocks(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(
        ball.sample(block, seeded())
        for block, ball in zip(THREAT.identity(x), THREAT.balls(x), strict=True)
    )


def test_with_a_zero_increment_it_is_flow(batch):
    x, _ = batch
    flow, matrix = blocks(x)
    expected = Flow(epsilon=1, step_size=1).apply(x, (flow,))
    found = THREAT.apply(x, (flow, torch.zeros_like(matrix)))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_with_a_zero_flow_it_is_rt(batch):
    x, _ = batch
    flow, matrix = blocks(x)
    expected = RT(epsilon=1, step_size=1).apply(x, (matrix,))
    found = THREAT.apply(x, (torch.zeros_like(flow), matrix))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::moat.errors.MoatWarning")  # of the matrix's step
def test_its_search_is_that_of_flow_where_the_matrix_cannot_move(tiny_model, batch):
    # A noise start keeps off the kinks of the interpolation, where the side taken is rounding.
    alone = Flow(epsilon=0.3, step_size=0.02, steps=5, start="noise")
    both = Integrated(flow_epsilon=0.3, rt_epsilon=NOTHING, steps=5, start="noise", **NUMBERS)
    expected = alone.perturb(tiny_model, *batch, generator=seeded())
    found = both.perturb(tiny_model, *batch, generator=seeded())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_the_flow_is_added_after_the_affine_map_in_source_coordinates(batch):
    x, _ = batch
    flow = torch.zeros(len(x), 8, 8, 2, dtype=x.dtype)
    flow[..., 0] = 2 / 8  # one pixel to the right in the source
    half_turn = torch.tensor([[-1.0, 0, 0], [0, -1, 0]]).to(x) - torch.eye(2, 3).to(x)
    found = THREAT.apply(x, (flow, half_turn.expand(len(x), 2, 3)))
    source = torch.zeros_like(x)
    source[..., :-1] = x[..., 1:]
    torch.testing.assert_close(found, source.flip((2, 3)), rtol=0, atol=1e-12)


def test_the_image_is_resampled_once_and_so_blurred_once(batch):
    x, _ = batch
    half = torch.zeros(len(x), 8, 8, 2, dtype=x.dtype)
    half[..., 0] = 1 / 8  # half a pixel
    matrix = torch.zeros(len(x), 2, 3, dtype=x.dtype)
    matrix[:, 0, 2] = 1 / 8  # and half a pixel more: a whole one, sharp again
    found = THREAT.apply(x, (half, matrix))
    torch.testing.assert_close(found[..., :-1], x[..., 1:], rtol=0, atol=1e-12)
    twice = Flow(epsilon=1, step_size=1).apply(
        RT(epsilon=1, step_size=1).apply(x, (matrix,)), (half,)
    )
    assert (twice - found).abs().max() > 0.1


def test_each_block_climbs_at_its_own_rate_within_its_own_radius(tiny_model, batch):
    for steps, reach in ((3, (0.06, 0.09)), (11, (0.2, 0.1))):
        threat = Integrated(flow_epsilon=0.2, rt_epsilon=0.1, steps=steps, **NUMBERS)
        (trace,) = search(tiny_model, [threat], *batch)
        for block, radius in zip(trace.w, reach, strict=True):
            assert block.abs().max().item() == pytest.approx(radius)


def test_it_is_stronger_than_either_of_its_parts(tiny_model):
    x, y = examples()
    loss = torch.nn.CrossEntropyLoss()
    parts = Flow(epsilon=0.3, step_size=0.02), RT(epsilon=0.4, step_size=0.03)
    alone = [loss(tiny_model.eval()(part.perturb(tiny_model, x, y)), y) for part in parts]
    assert loss(tiny_model(THREAT.perturb(tiny_model, x, y)), y) > max(alone)
