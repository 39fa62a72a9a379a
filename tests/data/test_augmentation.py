import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.data import Augmentation, as_floats
from moat.errors import DataError, FieldError

seeds = st.integers(0, 2**31)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stored(count: int, height: int = 5, width: int = 6, seed: int = 0) -> torch.Tensor:
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=seeded(seed))


def ramps(count: int, height: int, width: int) -> torch.Tensor:
    """Images whose first channel grows by 2 a pixel to the right, the second by 2 downwards."""
    right = (2 * torch.arange(width)).expand(height, width)
    down = (2 * torch.arange(height))[:, None].expand(height, width)
    return torch.stack([right, down]).to(torch.uint8).expand(count, 2, height, width).contiguous()


@given(seed=seeds)
def test_without_a_wish_the_images_are_only_made_floats_and_nothing_is_drawn(seed):
    images, generator = stored(4), seeded(seed)
    before = generator.get_state()
    assert torch.equal(Augmentation().on((5, 6), generator)(images), as_floats(images))
    assert torch.equal(generator.get_state(), before)


def test_larger_images_are_cropped_to_their_centre_where_nothing_is_random():
    images = stored(2, 9, 8)
    found = Augmentation().on((5, 6), seeded(0))(images)
    assert torch.equal(found, as_floats(images[:, :, 2:7, 1:7]))


def test_about_half_of_the_images_are_mirrored_and_the_others_stay():
    images = stored(400)
    found = Augmentation(flip=True).on((5, 6), seeded(0))(images)
    plain, mirrored = as_floats(images), as_floats(images.flip(3))
    stays = [torch.equal(a, b) for a, b in zip(found, plain, strict=True)]
    turns = [torch.equal(a, b) for a, b in zip(found, mirrored, strict=True)]
    assert all(a != b for a, b in zip(stays, turns, strict=True))
    assert 150 < sum(turns) < 250


@given(seed=seeds, padding=st.integers(1, 3))
def test_a_padded_crop_is_a_window_of_the_image_with_black_around(seed, padding):
    images = stored(6, seed=seed)
    found = Augmentation(crop_padding=padding).on((5, 6), seeded(seed))(images)
    around = torch.nn.functional.pad(as_floats(images), (padding,) * 4)
    for one, wide in zip(found, around, strict=True):
        windows = [
            wide[:, top : top + 5, left : left + 6]
            for top in range(2 * padding + 1)
            for left in range(2 * padding + 1)
        ]
        assert any(torch.equal(one, window) for window in windows)


def test_every_place_of_the_padded_crop_is_taken_about_as_often():
    images = torch.full((4500, 1, 1, 1), 255, dtype=torch.uint8)
    found = Augmentation(crop_padding=1).on((1, 1), seeded(0))(images)
    assert 400 < found.sum() < 600  # the pixel itself is one of nine places


@given(seed=seeds, low=st.floats(0.1, 1), high=st.floats(0.1, 1))
def test_a_resized_crop_shows_a_rectangle_of_the_asked_area_and_shape(seed, low, high):
    low, high = sorted((low, high))
    made = Augmentation(resized_crop=(low, high), aspect_ratio=(0.8, 1.25))
    found = 255 * made.on((10, 10), seeded(seed))(ramps(8, 100, 100))
    # A pixel's step in the ramp is the rectangle's share of the side; the border is flat.
    across = 10 * found[:, 0].diff(dim=2).flatten(1).median(1).values / 200
    down = 10 * found[:, 1].diff(dim=1).flatten(1).median(1).values / 200
    whole = (across > 0.99) | (down > 0.99)  # cut at the border
    area, ratio = across * down, across / down
    assert bool((area <= high + 0.02).all())
    assert bool(((area >= low - 0.02) | whole).all())
    assert bool((((ratio > 0.79) & (ratio < 1.27)) | whole).all())


def test_a_resized_crop_of_everything_is_the_image():
    images = stored(4, 8, 8)
    made = Augmentation(resized_crop=(1.0, 1.0), aspect_ratio=(1.0, 1.0))
    found = made.on((8, 8), seeded(0))(images)
    assert torch.allclose(found, as_floats(images), atol=1e-5)


@given(seed=seeds)
def test_no_black_is_mixed_into_a_resized_crop(seed):
    bright = torch.full((8, 3, 6, 9), 200, dtype=torch.uint8)
    found = Augmentation(resized_crop=(0.05, 1.0)).on((12, 12), seeded(seed))(bright)
    assert found.shape == (8, 3, 12, 12)
    assert torch.allclose(found, torch.tensor(200 / 255), atol=1e-5)


@pytest.mark.parametrize(
    "made",
    [
        Augmentation(flip=True, crop_padding=2),
        Augmentation(flip=True, resized_crop=(0.08, 1.0)),
    ],
)
def test_one_seed_gives_the_same_images_another_gives_others_and_none_touches_what_is_stored(made):
    images = stored(16)
    kept, before = images.clone(), torch.get_rng_state()
    first, again, other = (made.on((5, 6), seeded(seed))(images) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(images, kept)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.dtype == torch.float32
    assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"crop_padding": 4, "resized_crop": (0.1, 1.0)},
            "crop_padding and resized_crop are two crops: set only one",
        ),
        (
            {"resized_crop": (0.5, 0.1)},
            "resized_crop is a range of shares of the area, as in [0.08, 1.0], not [0.5, 0.1]",
        ),
        (
            {"resized_crop": (0.5, 1.1)},
            "resized_crop is a range of shares of the area, as in [0.08, 1.0], not [0.5, 1.1]",
        ),
        ({"aspect_ratio": (2.0, 1.0)}, "aspect_ratio is a range, not [2.0, 1.0]"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys, message):
    with pytest.raises(FieldError) as raised:
        Augmentation(**keys)
    assert message in str(raised.value)


def test_images_that_are_no_bytes_are_refused_with_what_makes_them_so():
    with pytest.raises(DataError, match=r"stored images are bytes \(uint8\), from 0 to 255, not"):
        as_floats(torch.rand(2, 1, 3, 3))
