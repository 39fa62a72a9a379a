import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from moat.errors import FieldError, ModelError, RecipeError
from moat.models import PythonModel, SmallCNN, TinyCNN, registry


def built(model, shape: tuple[int, int, int], classes: int = 10, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model.build(shape, classes)


@pytest.mark.parametrize("model", list(registry), ids=lambda model: model.name)
def test_every_model_makes_a_logit_a_class(model):
    network = built(model(), (3, 28, 28), classes=7)
    assert network(torch.rand(2, 3, 28, 28)).shape == (2, 7)


@pytest.mark.parametrize("model", list(registry), ids=lambda model: model.name)
def test_the_global_seed_decides_the_initial_weights(model):
    first, again, other = (
        list(built(model(), (3, 28, 28), seed=seed).parameters()) for seed in (0, 0, 1)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@given(
    channel=st.integers(1, 3),
    height=st.integers(1, 17),
    width=st.integers(1, 17),
    classes=st.integers(2, 12),
)
@settings(max_examples=20)
def test_the_tiny_network_takes_images_of_any_size(channel, height, width, classes):
    network = built(TinyCNN(width=2), (channel, height, width), classes)
    assert network(torch.rand(3, channel, height, width)).shape == (3, classes)


def test_the_tiny_network_is_as_wide_as_it_is_told():
    network = built(TinyCNN(width=5), (1, 8, 8))
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [5, 10, 10]


@given(height=st.integers(16, 33), width=st.integers(16, 33))
@settings(max_examples=10)
def test_the_small_network_takes_images_from_16_pixels_on(height, width):
    network = built(SmallCNN(), (1, height, width))
    assert network(torch.rand(2, 1, height, width)).shape == (2, 10)


def test_the_small_network_has_four_convolutions_and_three_linear_layers_the_last_at_zero():
    network = built(SmallCNN(), (1, 28, 28))
    kinds = [type(layer) for layer in network]
    assert (kinds.count(nn.Conv2d), kinds.count(nn.Linear)) == (4, 3)
    assert network(torch.rand(2, 1, 28, 28)).abs().max() == 0
    assert sum(parameter.numel() for parameter in network.parameters()) == 312_202


def test_the_small_network_starts_as_that_of_trades_does():
    torch.manual_seed(0)
    network = SmallCNN().build((3, 28, 28), 10)
    for layer in (layer for layer in network if isinstance(layer, nn.Conv2d)):
        fan_in = layer.weight[0].numel()
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
        assert not layer.bias.any()


def test_or_as_torch_starts_any_network():
    torch.manual_seed(0)
    network = SmallCNN(initialisation="torch").build((3, 28, 28), 10)
    for layer in (layer for layer in network if isinstance(layer, nn.Conv2d)):
        bound = layer.weight[0].numel() ** -0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        assert layer.bias.any()


@pytest.mark.parametrize(("height", "width"), [(15, 28), (28, 8)])
def test_images_too_small_for_the_small_network_are_refused(height, width):
    with pytest.raises(ModelError) as raised:
        SmallCNN().build((1, height, width), 10)
    assert raised.value.message == (
        f"the model 'small-cnn' needs images of at least 16 x 16 pixels, not {height} x {width}."
    )
    assert raised.value.hint == "Use 'tiny-cnn', or enlarge the images with data.size."


@pytest.mark.parametrize("model", [SmallCNN, TinyCNN])
def test_dropout_is_a_share_and_acts_in_train_mode_alone(model):
    network = built(model(dropout=0.75), (1, 28, 28))
    (layer,) = [layer for layer in network if isinstance(layer, nn.Dropout)]
    assert layer.p == 0.75
    network.eval()
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(network(x), network(x))
    for wrong in (1.0, -0.1):
        with pytest.raises(FieldError, match="than"):
            model(dropout=wrong)


@pytest.mark.parametrize("width", [0, 2.5])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(FieldError):
        TinyCNN(width=width)


def test_the_models_are_known_by_their_names():
    assert registry.get("tiny-cnn") is TinyCNN
    assert registry.get("small-cnn") is SmallCNN


# A user's own.


@pytest.fixture
def my_networks(tmp_path, monkeypatch) -> str:
    (tmp_path / "my_networks.py").write_text(
        "from torch import nn\n"
        "def linear(inputs, classes=10):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))\n"
        "def text():\n"
        "    return 'no network'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "my_networks", raising=False)
    return "python:my_networks:"


def test_a_users_callable_is_called_with_the_keys_of_the_model_table(my_networks):
    model = PythonModel(my_networks + "linear", {"inputs": 64, "classes": 3})
    assert model.build((1, 8, 8), 3)(torch.rand(2, 1, 8, 8)).shape == (2, 3)


def test_keys_that_a_users_callable_does_not_take_are_refused(my_networks):
    with pytest.raises(ModelError) as raised:
        PythonModel(my_networks + "linear", {"depth": 2}).build((1, 8, 8), 10)
    assert raised.value.message.startswith(
        "'python:my_networks:linear' cannot be called with {'depth': 2}: linear() "
    )
    assert raised.value.hint == (
        "The keys of the model table, besides type, are its keyword arguments."
    )


def test_a_users_callable_that_makes_no_network_is_refused(my_networks):
    with pytest.raises(ModelError) as raised:
        PythonModel(my_networks + "text").build((1, 8, 8), 10)
    assert raised.value.message == "'python:my_networks:text' returned str, not an nn.Module."


def test_a_users_callable_that_is_missing_is_refused(my_networks):
    with pytest.raises(RecipeError, match="has no 'linaer'\\. Did you mean 'linear'"):
        PythonModel(my_networks + "linaer").build((1, 8, 8), 10)
