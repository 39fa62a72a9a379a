import pytest
import torch
from torch import nn

from moat.errors import FieldError, ModelError
from moat.models import Normalise, PreActResNet18, registry


def small(**keys) -> PreActResNet18:
    return PreActResNet18(width=4, groups=2, **keys)


def test_it_is_known_by_its_name():
    assert registry.get("preact-resnet18") is PreActResNet18


def test_it_has_the_parameters_of_the_published_network_and_a_last_norm():
    network = PreActResNet18().build((3, 32, 32), 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_172_170
    kinds = [type(layer) for layer in network.modules()]
    assert kinds.count(nn.GroupNorm) == 17
    assert kinds.count(nn.Conv2d) == 17 + 3  # the stem and two a block, and where the shape changes
    assert not any(issubclass(kind, nn.modules.batchnorm._BatchNorm) for kind in kinds)


def test_normalisation_comes_first():
    first = small().build((3, 8, 8), 10)[0]
    assert isinstance(first, Normalise)
    assert first.std.flatten().tolist() == pytest.approx([0.2470, 0.2435, 0.2616])


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 31), (32, 32), (64, 48)])
def test_it_takes_images_of_any_size(height, width):
    network = small().build((3, height, width), 7)
    assert network(torch.rand(2, 3, height, width)).shape == (2, 7)


@pytest.mark.parametrize("side", [8, 32])
def test_three_stages_halve_the_side(side):
    network = small().build((3, side, side), 10)
    pool = next(layer for layer in network if isinstance(layer, nn.AdaptiveAvgPool2d))
    seen = []
    pool.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0].shape))
    network(torch.rand(1, 3, side, side))
    assert seen == [(1, 32, side // 8, side // 8)]


def test_an_example_alone_has_the_logits_that_it_has_in_a_batch():
    network = small().build((3, 8, 8), 10).double()
    x = torch.rand(3, 3, 8, 8, dtype=torch.float64)
    alone = torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(network(x), alone)


def test_a_block_that_changes_no_shape_adds_to_its_input():
    block = small().build((3, 8, 8), 10)[2].double()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    assert torch.equal(block(x), x)


def test_mean_and_std_have_a_number_a_channel():
    grey = small(mean=[0.13], std=[0.31])
    assert grey.build((1, 28, 28), 10)(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    with pytest.raises(ModelError) as refused:
        small().build((1, 28, 28), 10)
    assert refused.value.message == (
        "the images have 1 channel(s), and the model 'preact-resnet18' has 3 mean(s) and 3 std(s) "
        "for them."
    )
    assert refused.value.hint == "Give model.mean and model.std one number for each channel."


def test_groups_divide_the_width():
    with pytest.raises(ModelError) as refused:
        PreActResNet18(width=48).build((3, 32, 32), 10)
    assert refused.value.message == "48 channels cannot be cut into 32 equal groups."
    assert refused.value.hint == "Choose model.groups that divides model.width."


@pytest.mark.parametrize("keys", [{"std": [0.2, 0.0, 0.2]}, {"groups": 0}, {"mean": ["a"]}])
def test_numbers_that_are_none_are_refused(keys):
    with pytest.raises(FieldError):
        PreActResNet18(**keys)
