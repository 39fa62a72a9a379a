"""Pixel noise: within epsilon and within [0, 1]."""

import torch
import torch.nn.functional as F

from moat.threats import PGD, search


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
