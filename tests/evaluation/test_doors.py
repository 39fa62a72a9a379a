"""What an evaluation is handed: networks, labels and an autocast around it."""

import pytest
import torch
from torch import nn

from moat.data import Data, Split
from moat.errors import ModelError
from moat.evaluation import Protocol, evaluate, make_gallery
from moat.evaluation.sanity import examine
from moat.threats import PGD, AutoAttack

THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.05, steps=2),
    "autoattack": AutoAttack(epsilon=0.05, steps=10, queries=3),
}


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (20, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(20) % 4, torch.arange(20))


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.int8])
def test_labels_of_any_integer_type_are_evaluated_shown_and_examined(model, split, dtype):
    protocol = Protocol(THREATS)
    odd = Split(split.images, split.labels.to(dtype), split.ids)
    one, other = evaluate(model, split, protocol), evaluate(model, odd, protocol)
    assert (one.outcomes.values == other.outcomes.values).all()
    data = Data(odd, odd, tuple("abcd"))
    assert make_gallery(model, data, protocol).labels.tolist()[:4] == [0, 1, 2, 3]
    assert examine(other, model, data)
    assert odd.digest() == split.digest()


@pytest.mark.parametrize("label", [4, -1])
def test_a_label_anywhere_beyond_the_classes_is_refused_before_the_search(model, split, label):
    labels = split.labels.clone()
    labels[-1] = label
    calls = []
    model.register_forward_hook(lambda _m, inputs, _z: calls.append(len(inputs[0])))
    with pytest.raises(ModelError, match=rf"label is {label}|one is {label}"):
        evaluate(model, Split(split.images, labels, split.ids), Protocol(THREATS))
    assert len(calls) <= 4  # the network's own check


def test_an_autocast_around_it_changes_nothing(model, split):
    protocol, data = Protocol(THREATS), Data(split, split, tuple("abcd"))
    expected = evaluate(model, split, protocol), make_gallery(model, data, protocol)
    checks = examine(expected[0], model, data)
    with torch.autocast("cpu", torch.bfloat16):
        found = evaluate(model, split, protocol), make_gallery(model, data, protocol)
        assert examine(found[0], model, data) == checks
    assert (expected[0].found.losses == found[0].found.losses).all()
    assert (expected[1].adversarial == found[1].adversarial).all()


@pytest.mark.parametrize("given", ["method", "class", None])
def test_what_is_no_network_is_refused(model, split, given):
    given = {"method": model.forward, "class": nn.Linear, None: None}[given]
    with pytest.raises(ModelError, match=r"not a torch.nn.Module|is the class Linear"):
        evaluate(given, split, Protocol(THREATS))
