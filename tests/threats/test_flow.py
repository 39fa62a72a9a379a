"""Optical flow: every pixel reads where its own displacement points."""

import pytest
import torch

from moat.threats import Flow, search


def test_a_displacement_of_two_over_the_width_reads_the_right_hand_neighbour(batch):
    x, _ = batch
    flow = torch.zeros(len(x), 8, 8, 2, dtype=x.dtype)
    flow[..., 0] = 2 / 8  # grid units: the image is 2 wide
    moved = Flow(epsilon=1, step_size=1).apply(x, (flow,))
    torch.testing.assert_close(moved[..., :-1], x[..., 1:], rtol=0, atol=1e-12)
    assert moved[..., -1].abs().max() < 1e-12  # black outside


def test_the_second_component_is_vertical(batch):
    x, _ = batch
    flow = torch.zeros(len(x), 8, 8, 2, dtype=x.dtype)
    flow[..., 1] = -2 / 8
    moved = Flow(epsilon=1, step_size=1).apply(x, (flow,))
    torch.testing.assert_close(moved[..., 1:, :], x[..., :-1, :], rtol=0, atol=1e-12)


def test_each_pixel_moves_its_own_way(batch):
    x, _ = batch
    flow = torch.zeros(len(x), 8, 8, 2, dtype=x.dtype)
    flow[:, 3, 4, 0] = 0.1
    changed = (Flow(epsilon=1, step_size=1).apply(x, (flow,)) - x).abs() > 1e-12
    assert changed[:, :, 3, 4].any()
    changed[:, :, 3, 4] = False
    assert not changed.any()


def test_a_channel_moves_with_the_others(tiny_model, batch):
    x, y = batch
    threat = Flow(epsilon=0.3, step_size=0.05, steps=3)
    coloured = x.repeat(1, 3, 1, 1)
    network = torch.nn.Sequential(Grey(), tiny_model)
    images = threat.perturb(network, coloured, y)
    assert torch.equal(images[:, :1], images[:, 2:])
    torch.testing.assert_close(images[:, :1], threat.perturb(tiny_model, x, y), rtol=0, atol=1e-12)


class Grey(torch.nn.Module):
    """Takes the first channel for all."""

    def forward(self, images):
        return images[:, :1]


@pytest.mark.parametrize(("steps", "reach"), [(4, 0.08), (30, 0.3)])
def test_no_displacement_is_longer_than_the_steps_or_epsilon_allow(tiny_model, batch, steps, reach):
    (trace,) = search(tiny_model, [Flow(epsilon=0.3, step_size=0.02, steps=steps)], *batch)
    assert trace.w[0].abs().max().item() == pytest.approx(reach)
