"""The photometric threat: moat's promises to every threat, and its own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moat_photometric import Photometric

from moat.testing import check_threat, examples, smooth_model
from moat.threats import PGD, registry


def photometric(**more: object) -> Photometric:
    numbers = {"dark_epsilon": 0.3, "dark_step_size": 0.05, "bright_epsilon": 0.2}
    return Photometric(**numbers, bright_step_size=0.04, **more)


@pytest.mark.parametrize("start", ["zero", "noise", "uniform"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
def test_it_keeps_the_promises_of_every_threat(start, shape):
    check_threat(photometric(start=start, steps=8), shape=shape)


def test_the_entry_point_leads_to_it():
    assert registry.get("photometric") is Photometric
    (entry,) = (entry for entry in registry.entries() if entry.name == "photometric")
    assert entry.origin.startswith("moat-robust-photometric ")


@settings(deadline=None, derandomize=True, max_examples=30)
@given(gain=st.floats(-0.6, 0.6), bias=st.floats(-0.3, 0.3))
def test_every_gain_and_bias_is_a_movement_of_the_ends(gain, bias):
    x, _ = examples((3, 8, 8))
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    w = gain * low + bias, gain * high + bias
    expected = (1 + gain) * x + bias
    torch.testing.assert_close(photometric().apply(x, w), expected, rtol=0, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(gain=st.floats(-0.5, 0.5), bias=st.floats(-0.3, 0.3))
def test_the_balls_hold_exactly_the_pairs_that_keep_the_image_in_its_box(gain, bias):
    x = 0.2 + 0.5 * examples((1, 8, 8))[0]  # spans [0.2, 0.7], so that some pairs fit
    w = gain * 0.2 + bias, gain * 0.7 + bias
    wide = Photometric(dark_epsilon=1, dark_step_size=1, bright_epsilon=1, bright_step_size=1)
    blocks = [torch.full((len(x), 1, 1, 1), end, dtype=x.dtype) for end in w]
    inside = all(
        torch.allclose(ball.project(block), block, rtol=0, atol=1e-9)
        for ball, block in zip(wide.balls(x), blocks, strict=True)
    )
    images = (1 + gain) * x + bias
    assert inside == bool(images.min() >= -1e-9 and images.max() <= 1 + 1e-9)


def test_no_pixel_moves_further_than_the_larger_epsilon():
    x, y = examples((3, 8, 8))
    images = photometric(steps=20).perturb(smooth_model((3, 8, 8)), x, y)
    assert 0.1 < (images - x).abs().max() <= 0.3 + 1e-12


def test_the_images_differ_by_one_gain_and_one_bias_a_channel():
    x, y = examples((3, 8, 8))
    images = photometric(steps=20).perturb(smooth_model((3, 8, 8)), x, y)
    for before, after in zip(x.flatten(0, 1), images.flatten(0, 1), strict=True):
        before, after = before.flatten(), after.flatten()
        design = torch.stack([before, torch.ones_like(before)], 1)
        fit = design @ torch.linalg.lstsq(design, after[:, None]).solution
        torch.testing.assert_close(fit[:, 0], after, rtol=0, atol=1e-9)


def test_a_channel_of_one_value_is_brightened_and_darkened_as_a_whole():
    x = torch.full((2, 1, 8, 8), 0.5, dtype=torch.float64)
    images = photometric(start="uniform").perturb(smooth_model(), x, torch.tensor([0, 1]))
    assert images.isfinite().all()
    assert images.flatten(1).std(1).max() < 1e-12
    assert (images - x).abs().min() > 0


def test_it_is_weaker_than_pixel_noise_of_the_same_radius():
    x, y = examples()
    model = smooth_model().eval()
    loss = torch.nn.CrossEntropyLoss()
    noise = PGD(epsilon=0.3, step_size=0.05, steps=8).perturb(model, x, y)
    pair = photometric(steps=8).perturb(model, x, y)
    assert loss(model(x), y) < loss(model(pair), y) < loss(model(noise), y)


@pytest.mark.parametrize("key", ["dark_epsilon", "bright_step_size"])
def test_a_negative_number_is_refused_by_name(key):
    numbers = dict.fromkeys(
        ("dark_epsilon", "dark_step_size", "bright_epsilon", "bright_step_size"), 0.1
    )
    with pytest.raises(ValueError, match=rf"{key} should be greater than 0"):
        Photometric(**(numbers | {key: -0.1}))
