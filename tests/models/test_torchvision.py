from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from moat.digests import digest_of_file
from moat.errors import FieldError, ModelError, UnknownNameError
from moat.models import Normalise, ResNet18, registry, torchvision_model
from moat.models.torchvision import Torchvision

SHAPE = (3, 32, 32)
SMALL = "torchvision:shufflenet_v2_x0_5"  # 1.4 million parameters


def small(**keys) -> Torchvision:
    return torchvision_model(SMALL)(**keys)


def begun(model: Torchvision, classes: int = 10, shape=SHAPE) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = model.build(shape, classes)
    model.initialise(network)
    return network


@pytest.fixture
def plain() -> nn.Module:
    """The network as torchvision has it, for six classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return models.shufflenet_v2_x0_5(num_classes=6)


@pytest.fixture
def saved(plain, tmp_path) -> Path:
    torch.save(plain.state_dict(), tmp_path / "w.pth")
    return tmp_path / "w.pth"


def refusal(model: Torchvision, classes: int = 10) -> ModelError:
    with pytest.raises(ModelError) as refused:
        begun(model, classes)
    return refused.value


# the network


def test_resnet18_is_torchvisions_behind_a_normalisation():
    assert registry.get("resnet18") is ResNet18
    network = begun(ResNet18()).eval()
    first, inner = network
    assert isinstance(first, Normalise)
    assert isinstance(inner, models.ResNet)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_181_642
    x = torch.rand(2, *SHAPE)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    by_hand = inner((x - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    torch.testing.assert_close(network(x), by_hand)


def test_grey_images_are_read_as_three_equal_channels():
    network = begun(small(), shape=(1, 28, 28)).eval()
    x = torch.rand(2, 1, 28, 28)
    torch.testing.assert_close(network(x), network(x.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize("channels", [2, 4])
def test_images_of_other_channels_are_refused(channels):
    with pytest.raises(ModelError) as refused:
        ResNet18().build((channels, 32, 32), 10)
    assert refused.value.message == (
        f"the model 'resnet18' takes images of 3 channels, or of 1 that it repeats, not of "
        f"{channels}."
    )
    assert refused.value.hint == (
        'Use "preact-resnet18", or a network of your own (python:module:callable).'
    )


@pytest.mark.parametrize(
    "name", ["squeezenet1_1", "mobilenet_v3_small", "densenet121", "mnasnet0_5", "regnet_y_400mf"]
)
def test_any_classifier_of_torchvisions_has_as_many_logits_as_there_are_classes(name):
    model = torchvision_model(f"torchvision:{name}")()
    assert model.build((3, 64, 64), 7).eval()(torch.rand(1, 3, 64, 64)).shape == (1, 7)


def test_a_network_has_one_class_and_a_name_of_its_own():
    assert torchvision_model(SMALL) is torchvision_model(SMALL)
    assert torchvision_model(SMALL).name == SMALL
    assert small() == small()
    assert small() != torchvision_model("torchvision:resnet18")()


def test_an_unknown_classifier_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError) as refused:
        torchvision_model("torchvision:resnet19")
    assert refused.value.message.startswith(
        "torchvision has no classifier 'resnet19'. Did you mean"
    )
    assert refused.value.hint.startswith("The nearest of its ")
    assert ": resnet18, " in refused.value.hint
    assert refused.value.hint.partition("\n")[0].count(",") == 4
    assert "googlenet" not in refused.value.hint


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_a_network_that_returns_more_than_logits_is_refused(name):
    with pytest.raises(ModelError) as refused:
        torchvision_model(f"torchvision:{name}")
    assert refused.value.message == (
        f"torchvision's {name!r} returns more than logits in train mode."
    )
    assert refused.value.hint.startswith("Use another, such as ")


@pytest.mark.parametrize(
    "keys", [{"mean": [0.5]}, {"std": [0.1, 0.0, 0.1]}, {"weights": 3}, {"weights_digest": "x"}]
)
def test_keys_that_are_none_are_refused(keys):
    with pytest.raises(FieldError):
        ResNet18(**keys)


# weights of a file


def test_weights_are_loaded_and_the_last_layer_is_drawn_for_other_classes(plain, saved):
    network = begun(small(weights=str(saved)), 10)
    fresh = begun(small(), 10)
    for name, value in network[1].state_dict().items():
        drawn = name.startswith("fc.")
        expected = fresh[1].state_dict()[name] if drawn else plain.state_dict()[name]
        assert torch.equal(value, expected), name


def test_the_last_layer_is_kept_where_it_has_as_many_classes(plain, saved):
    network = begun(small(weights=str(saved)), 6)
    assert torch.equal(network[1].fc.weight, plain.fc.weight)


def test_a_file_without_a_last_layer_leaves_it_as_drawn(plain, tmp_path):
    body = {n: v for n, v in plain.state_dict().items() if not n.startswith("fc.")}
    save_file(body, tmp_path / "w.safetensors")
    network = begun(small(weights=str(tmp_path / "w.safetensors")), 6)
    assert torch.equal(network[1].fc.weight, begun(small(), 6)[1].fc.weight)
    assert torch.equal(network[1].conv1[0].weight, plain.conv1[0].weight)


def test_the_weights_of_a_trained_run_are_weights(saved, tmp_path):
    trained = begun(small(weights=str(saved)), 6)
    save_file(trained.state_dict(), tmp_path / "model.safetensors")
    again = begun(small(weights=str(tmp_path / "model.safetensors")), 6)
    for name, value in again.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name])


def test_a_squeezenet_whose_last_layer_is_a_convolution_gets_a_new_one(tmp_path):
    save_file(models.squeezenet1_1(num_classes=6).state_dict(), tmp_path / "w.safetensors")
    model = torchvision_model("torchvision:squeezenet1_1")
    network = begun(model(weights=str(tmp_path / "w.safetensors")), 4)
    assert network[1].classifier[1].out_channels == 4


def test_weights_of_another_architecture_are_refused_with_the_keys_that_differ(saved):
    error = refusal(ResNet18(weights=str(saved)))
    assert error.message.startswith(
        f"the weights {str(saved)!r} are not those of the network 'resnet18' that the recipe asks "
        "for: 100 keys missing: conv1.weight, bn1.weight, bn1.bias and 97 more; "
    )
    assert " foreign: conv1.0.weight, conv1.1.weight, conv1.1.bias and " in error.message
    assert error.hint == (
        "Set model.type to the network of these weights, as in 'torchvision:resnet50', "
        "or model.weights to others."
    )


def test_weights_of_a_wider_network_are_refused_with_the_shapes_that_differ(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(models.shufflenet_v2_x1_0(num_classes=6).state_dict(), path)
    message = refusal(small(weights=str(path)), 10).message
    assert "stage2.0.branch1.2.weight (58, 24, 1, 1) and not (24, 24, 1, 1)" in message
    assert "missing" not in message


def test_weights_that_are_not_finite_are_refused(plain, tmp_path):
    nn.init.constant_(plain.conv5[0].weight, float("nan"))
    torch.save(plain.state_dict(), tmp_path / "w.pth")
    error = refusal(small(weights=str(tmp_path / "w.pth")))
    assert error.message == (
        f"the weights {str(tmp_path / 'w.pth')!r} hold values that are not finite: conv5.0.weight."
    )
    assert error.hint == "Use others: these are not meant to be used whole."


def test_densenets_are_read_by_their_old_names_too(tmp_path):
    network = models.densenet121(num_classes=6)
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value
        for name, value in network.state_dict().items()
    }
    old = {n.replace("transition1.norm.1.", "transition1.norm1."): v for n, v in old.items()}
    assert old.keys() != network.state_dict().keys()
    torch.save(old, tmp_path / "w.pth")
    begun(torchvision_model("torchvision:densenet121")(weights=str(tmp_path / "w.pth")))


# published weights


def test_published_weights_are_loaded(tmp_path, monkeypatch, plain):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    url = models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url
    torch.save(plain.state_dict(), folder / url.rpartition("/")[2])
    network = begun(small(weights="IMAGENET1K_V1"))
    assert torch.equal(network[1].conv1[0].weight, plain.conv1[0].weight)
    assert network[1].fc.out_features == 10


def test_weights_that_nobody_published_are_refused_with_the_nearest():
    with pytest.raises(ModelError) as refused:
        ResNet18(weights="IMAGENET1K_V3")
    assert refused.value.message == (
        "torchvision publishes no weights 'IMAGENET1K_V3' for 'resnet18'. Did you mean "
        "'IMAGENET1K_V1'?"
    )
    assert refused.value.hint == (
        "known: IMAGENET1K_V1, DEFAULT\nA local file ends in .pth, .pt or .safetensors."
    )


# what identifies it


def test_a_file_is_known_by_what_it_holds_wherever_it_lies(saved, tmp_path):
    before = small(weights=str(saved)).identity()
    assert before["weights"] == f"file {digest_of_file(saved)}"
    assert "weights_digest" not in before
    moved = saved.rename(tmp_path / "moved.pth")
    assert small(weights=str(moved)).identity() == before
    moved.write_bytes(moved.read_bytes() + b" ")
    assert small(weights=str(moved)).identity() != before


def test_a_file_that_is_gone_is_known_by_the_digest_that_was_said(saved):
    model = small(weights=str(saved))
    said = replace(model, **model.digests())
    before = said.identity()
    saved.unlink()
    assert (said.identity(), said.digests()) == (before, {})
    assert model.identity()["weights"] == f"{saved} (missing)"
    assert model.digests() == {}


def test_published_weights_are_known_by_their_name_in_full():
    for name in ("IMAGENET1K_V1", "DEFAULT"):
        model = ResNet18(weights=name)
        assert (model.identity()["weights"], model.digests()) == ("IMAGENET1K_V1", {})
    assert ResNet18().identity()["weights"] is None
