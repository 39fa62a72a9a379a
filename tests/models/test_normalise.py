import pytest
import torch

from moat.models import Normalise

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def test_each_channel_has_its_mean_taken_off_and_is_divided_by_its_deviation():
    x = torch.rand(4, 3, 5, 6)
    found = Normalise(MEAN, STD)(x)
    for channel in range(3):
        expected = (x[:, channel] - MEAN[channel]) / STD[channel]
        torch.testing.assert_close(found[:, channel], expected)


def test_a_grey_image_is_read_as_equal_channels():
    grey = torch.rand(4, 1, 5, 6)
    layer = Normalise(MEAN, STD)
    assert torch.equal(layer(grey), layer(grey.repeat(1, 3, 1, 1)))


def test_the_numbers_follow_the_network_and_are_no_part_of_what_is_saved():
    layer = Normalise(MEAN, STD).double().to(memory_format=torch.channels_last)
    assert (layer.mean.dtype, layer.state_dict()) == (torch.float64, {})


def test_images_with_channels_last_stay_so():
    x = torch.rand(4, 3, 5, 6).to(memory_format=torch.channels_last)
    assert Normalise(MEAN, STD)(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (2.0,))])
def test_it_shows_its_numbers(mean, std):
    assert repr(Normalise(mean, std)) == "Normalise(mean=[0.5], std=[2.0])"
