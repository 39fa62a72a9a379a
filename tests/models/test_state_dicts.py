import pytest
import torch
from torch import nn
from torchvision.models import mnasnet0_5

from moat.errors import ModelError
from moat.models import load_into
from moat.models.state_dicts import key_differences


def tensors(**shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def test_keys_and_shapes_that_differ_are_named_and_the_rest_is_counted():
    expected = tensors(a=(1,), b=(1,), c=(1,), d=(1,), e=(2, 3), f=(2,))
    found = tensors(e=(3, 2), f=(2,), g=(1,))
    assert key_differences(expected, found) == (
        "4 keys missing: a, b, c and 1 more; 1 foreign: g; 1 of another shape: e (3, 2) and not "
        "(2, 3)"
    )
    assert key_differences(expected, expected) == ""


def test_weights_that_fit_are_loaded():
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    load_into(one, other.state_dict())
    assert torch.equal(one.weight, other.weight)


def test_weights_that_do_not_fit_load_nothing():
    network = nn.Linear(3, 2)
    before = network.weight.clone()
    with pytest.raises(ModelError) as refused:
        load_into(network, {"weight": torch.zeros(2, 3)})
    assert refused.value.message == "1 key missing: bias"
    assert torch.equal(network.weight, before)


def test_counts_of_batches_may_be_missing():
    network = nn.BatchNorm2d(2)
    held = {n: v + 1 for n, v in network.state_dict().items() if n != "num_batches_tracked"}
    load_into(network, held)
    assert network.running_mean.tolist() == [1, 1]


def test_layers_that_read_a_version_number_find_one():
    network = mnasnet0_5(num_classes=2)
    load_into(network, dict(network.state_dict()))  # a plain dict, as of safetensors
