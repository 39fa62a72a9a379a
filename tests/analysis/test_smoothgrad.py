"""SmoothGrad: a linear model shows its weights, and noise is the same for every model."""

import pytest
import torch
from torch import nn

from moat.analysis.batching import Batching
from moat.analysis.smoothgrad import SmoothGrad, saliency_maps
from moat.errors import InputError
from moat.testing import examples, smooth_model


class Square(nn.Module):
    """Logits (Σ a x²)_c, whose gradient is linear in the image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(3, 64, dtype=torch.float64) + 0.5)

    def forward(self, x):
        return x.flatten(1).square() @ self.weight.T


@pytest.mark.parametrize("copies", [1, 7])
@pytest.mark.parametrize("pass_size", [1, 4, 128])
def test_a_linear_model_shows_the_weights_of_the_true_class(copies, pass_size):
    x, y = examples(count=5)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()
    found = saliency_maps(
        linear,
        x,
        y,
        settings=SmoothGrad(copies=copies),
        batching=Batching(pass_size=pass_size),
    )
    expected = linear[1].weight.detach()[y].view_as(x)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_without_noise_it_is_the_gradient_of_the_true_logit():
    model, (x, y) = smooth_model().eval(), examples(count=4)
    leaf = x.clone().requires_grad_()
    true = model(leaf)[torch.arange(4), y].sum()
    expected = torch.autograd.grad(true, leaf)[0]
    found = saliency_maps(model, x, y, settings=SmoothGrad(copies=3, noise=0.0))
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_the_noise_is_a_share_of_the_range_of_each_image():
    """Of a square, the map is 2 a (x + mean noise): the mean noise can be read off."""
    model, (x, y) = Square(), examples(classes=3, count=6)
    x = x * torch.linspace(0.1, 1, 6).view(-1, 1, 1, 1)  # ranges of 0.1 to 1
    how = SmoothGrad(copies=400, noise=0.2)
    found = saliency_maps(model, x, y, settings=how).flatten(1)
    mean_noise = found / (2 * model.weight.detach()[y]) - x.flatten(1)
    spread = mean_noise.std(dim=1) * 400**0.5
    ranges = x.flatten(1).amax(1) - x.flatten(1).amin(1)
    assert (spread / ranges).sub(0.2).abs().max() < 0.2 * 4 / (2 * 64) ** 0.5


def test_a_map_does_not_depend_on_the_other_images_or_on_the_passes():
    model, (x, y) = smooth_model(), examples(count=6)
    how = SmoothGrad(copies=9)
    together = saliency_maps(model, x, y, settings=how)
    for size in (1, 9, 20):
        few = Batching(ids=[4, 1], pass_size=size)
        alone = saliency_maps(model, x[[4, 1]], y[[4, 1]], settings=how, batching=few)
        torch.testing.assert_close(alone, together[[4, 1]], atol=1e-12, rtol=0)


def test_another_seed_draws_other_noise():
    model, (x, y) = smooth_model(), examples(count=2)
    first, second = (
        saliency_maps(model, x, y, settings=SmoothGrad(copies=2, seed=seed)) for seed in (0, 1)
    )
    assert not torch.allclose(first, second)


def test_progress_counts_the_images_and_the_model_is_left_as_it_was():
    model, (x, y) = smooth_model(), examples(count=5)
    seen: list[int] = []
    batching = Batching(pass_size=4, progress=seen.append)
    saliency_maps(model, x, y, settings=SmoothGrad(copies=2), batching=batching)
    assert seen == [2, 2, 1]
    assert all(part.training for part in model.modules())
    assert all(own.requires_grad and own.grad is None for own in model.parameters())


def test_captums_noise_tunnel_agrees_within_the_luck_of_the_draw():
    attr = pytest.importorskip("captum.attr")
    model, (x, y) = Square(), examples(classes=3, count=4)
    x[:, :, 0, 0], x[:, :, 0, 1] = 0, 1  # captum has one σ for all images: each spans [0, 1]
    copies = 500
    tunnel = attr.NoiseTunnel(attr.Saliency(model))
    torch.manual_seed(0)
    theirs = tunnel.attribute(
        x, nt_type="smoothgrad", nt_samples=copies, stdevs=0.1, target=y, abs=False
    )
    ours = saliency_maps(model, x, y, settings=SmoothGrad(copies=copies))
    error = 2 * 3 * 0.1 / copies**0.5  # of a map, 2 a ≤ 3, with both draws: below 5 deviations
    assert (ours - theirs).abs().max() < 5 * error
    assert not torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"copies": 0}, "copies is 0, and must be above 0."),
        ({"noise": -0.1}, "noise is -0.1, and must be at least 0."),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        SmoothGrad(**settings)


def test_ids_of_another_number_and_no_images_are_refused():
    model, (x, y) = smooth_model(), examples(count=2)
    with pytest.raises(InputError, match="3 ids are given for 2 images"):
        saliency_maps(model, x, y, batching=Batching(ids=[1, 2, 3]))
    with pytest.raises(InputError, match="at least one image, and got none"):
        saliency_maps(model, x[:0], y[:0])
