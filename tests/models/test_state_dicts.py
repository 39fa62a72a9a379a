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


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
@pytest.mark.parametrize(
    ("change", "type_"),
    [
        (lambda value: value.long(), "int64"),
        (lambda value: value.bool(), "bool"),
        (lambda value: value + 0j, "complex64"),
        (lambda value: value.to("meta"), "float32 (meta)"),
        (lambda value: torch.quantize_per_tensor(value, 1.0, 0, torch.qint8), "qint8 (quantised)"),
        (lambda value: value.detach().numpy(), "ndarray"),
    ],
)
def test_numbers_of_another_kind_are_named(change, type_):
    network = nn.Linear(3, 2)
    found = {**network.state_dict(), "bias": change(network.bias)}
    with pytest.raises(ModelError) as refused:
        load_into(network, found)
    assert refused.value.message == f"1 of another kind: bias {type_} and not float32"


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize(
    "change",
    [
        torch.Tensor.half,
        torch.Tensor.double,
        torch.Tensor.to_sparse,
        torch.Tensor.to_sparse_csr,
        lambda value: value.t().contiguous().t(),
    ],
)
def test_another_precision_or_layout_of_the_same_numbers_is_loaded(change):
    network, other = nn.Linear(3, 2), nn.Linear(3, 2)
    network.weight.data = torch.tensor([[0.5, 0, 1], [0, 2, 0]])
    load_into(other, {**network.state_dict(), "weight": change(network.weight.detach())})
    assert torch.equal(other.weight, network.weight)


class Refusing(nn.Linear):
    def load_state_dict(self, *args, **keys):
        raise RuntimeError("not this\nnor that")


def test_a_network_that_does_not_take_its_own_state_is_refused_by_name():
    network = Refusing(3, 2)
    with pytest.raises(ModelError) as refused:
        load_into(network, network.state_dict())
    assert refused.value.message == (
        "the network refuses its own state dict (RuntimeError: not this)"
    )
    assert "load_state_dict" in refused.value.hint
