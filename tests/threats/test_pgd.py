"""Pixel noise: within epsilon and within [0, 1]."""

import pytest
import torch
import torch.nn.functional as F

from moat.testing import check_threat
from moat.threats import PGD, search

NORMS = {"linf": float("inf"), "l2": 2, "l1": 1}
RADII = {"linf": 0.1, "l2": 0.5, "l1": 2.0}  # for images of 64 pixels

every_norm = pytest.mark.parametrize("norm", NORMS)


def noise_in(norm: str, **more: object) -> PGD:
    return PGD(norm=norm, epsilon=RADII[norm], step_size=RADII[norm] / 4, **more)


@every_norm
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
def test_in_every_norm_it_keeps_what_the_conformance_kit_asks(norm, start, shape):
    check_threat(noise_in(norm, start=start, steps=5), shape=shape)


@every_norm
def test_the_noise_is_epsilon_long_in_its_norm_and_no_pixel_leaves_the_box(
    norm, start, tiny_model, batch
):
    x, y = batch
    (trace,) = search(tiny_model, [noise_in(norm, start=start)], x, y)
    lengths = torch.linalg.vector_norm(trace.w[0].flatten(1), NORMS[norm], dim=1)
    assert lengths.max() <= RADII[norm] + 1e-12
    assert lengths.max() > 0.99 * RADII[norm]  # l2 loses a little where the box clips
    assert trace.images.min() == 0
    assert trace.images.max() == 1


@every_norm
def test_in_every_norm_the_search_climbs_higher_than_its_samples(norm, tiny_model, batch):
    x, y = batch
    drawn = noise_in(norm, start="uniform")
    (found,) = search(tiny_model, [drawn], x, y, generator=torch.Generator().manual_seed(0))
    sample = drawn.balls(x)[0].sample(x, torch.Generator().manual_seed(0))
    losses = [
        F.cross_entropy(tiny_model.eval()(images), y, reduction="none")
        for images in (found.images, x + sample)
    ]
    assert (losses[0] > losses[1]).all()


def test_another_norm_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'linf', 'l2' or 'l1'"):
        PGD(epsilon=0.1, step_size=0.1, norm="l3")


def test_one_step_moves_every_pixel_by_the_sign_of_its_gradient_where_the_box_has_room(
    tiny_model, batch
):
    x, y = batch
    images = PGD(epsilon=0.1, step_size=0.05, steps=1).perturb(tiny_model, x, y)
    tiny_model.eval()
    leaf = x.clone().requires_grad_()
    loss = F.cross_entropy(tiny_model(leaf), y, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf)
    expected = (x + 0.05 * gradient.sign()).clamp(0, 1)
    torch.testing.assert_close(images, expected, rtol=0, atol=1e-12)


def test_no_pixel_moves_further_than_epsilon_or_out_of_the_box(tiny_model, batch):
    x, y = batch
    for start in ("zero", "uniform"):
        threat = PGD(epsilon=0.1, step_size=0.07, steps=5, start=start)
        generator = torch.Generator().manual_seed(0)
        images = threat.perturb(tiny_model, x, y, generator=generator)
        assert (images - x).abs().max() <= 0.1 + 1e-12
        assert images.min() == 0
        assert images.max() == 1


def test_the_blocks_found_are_the_noise_that_was_added(tiny_model, batch):
    (trace,) = search(tiny_model, [PGD(epsilon=0.1, step_size=0.03)], *batch)
    (noise,) = trace.w
    torch.testing.assert_close(batch[0] + noise, trace.images, rtol=0, atol=1e-12)


def test_a_pixel_pushed_to_the_end_of_the_box_comes_back_when_its_gradient_turns():
    class Turning(torch.nn.Module):
        """The second pixel climbs; the first falls until the second has passed 0.05."""

        def forward(self, images):
            first, second = images.flatten(1).T
            return torch.stack([-second - 10 * first * (second - 0.05), 0 * first], 1)

    x, y = torch.zeros(1, 1, 1, 2, dtype=torch.float64), torch.tensor([0])
    for steps, expected in ((2, [0, 0.04]), (3, [0, 0.06]), (5, [0.04, 0.1])):
        images = PGD(epsilon=0.3, step_size=0.02, steps=steps).perturb(Turning(), x, y)
        torch.testing.assert_close(images.flatten(), torch.tensor(expected).to(x))
