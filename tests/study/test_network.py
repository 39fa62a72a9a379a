"""A user's own network is trained and judged, or refused at once, before it is trained."""

import sys

import pytest
import torch

import moat
from moat.errors import ModelError
from moat.runs import RunFolder
from moat.study import estimate_all, plan

NETS = '''
import torch, torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """The digits by a convolution, flattened with view."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 2, 3), nn.Linear(72, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv(x).relu(), 1)
        return self.last(x.view(len(x), -1))


class Zero(Net):
    def __init__(self):
        super().__init__()
        nn.init.zeros_(self.last.weight), nn.init.zeros_(self.last.bias)


class LeNet(Net):
    pass


class Volume(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 2, (1, 3, 3)), nn.Flatten(),
                         nn.Linear(72, 10))


class Lazy(nn.Sequential):
    def __init__(self):
        super().__init__(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(10))


class Everything(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.full((3, 3), float("-inf")).triu(1))
        self.register_buffer("wide", torch.zeros(1).expand(5))
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.register_buffer("count", torch.tensor(3))
        self.seen = 0

    def get_extra_state(self):
        return {"seen": self.seen}

    def set_extra_state(self, state):
        self.seen = state["seen"]


class Doubles(Net):
    def forward(self, x):
        return super().forward(x).double()


class Softmax(Zero):
    def forward(self, x):
        return super().forward(x).softmax(1)


class Dropout(Zero):
    def forward(self, x):
        return super().forward(F.dropout(x))


class Mixing(Zero):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1, track_running_stats=False)

    def forward(self, x):
        return super().forward(self.norm(x))


class Half(Net):
    def forward(self, x):
        return super().forward(x).bfloat16()


class InPlace(Net):
    def forward(self, x):
        x -= 0.5
        return super().forward(x)


class Virtual(Net):
    """Takes batches of multiples of eight in training."""

    def forward(self, x):
        z = super().forward(x)
        return z.view(-1, 8, 10).flatten(0, 1) if self.training else z


class Fixed(Net):
    def forward(self, x):
        return super().forward(x.view(8, 1, 8, -1) if self.training else x)


class Few(Net):
    def forward(self, x):
        if len(x) > 30:
            raise OSError("too many")
        return super().forward(x)


class Even(Net):
    def forward(self, x):
        assert self.training or len(x) == 1 or len(x) % 2 == 0
        return super().forward(x)


class Frozen(Net):
    def __init__(self):
        super().__init__()
        self.requires_grad_(False)


class TwoHeads(Net):
    def forward(self, x):
        z = super().forward(x)
        return (z, z) if self.training else z


class Binary(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 1), nn.Sigmoid())


class Object:
    pass


class Keeping(Net):
    def get_extra_state(self):
        return Object()

    def set_extra_state(self, state):
        pass


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(64, 10, dtype=torch.complex64))

    def forward(self, x):
        return (x.flatten(1) + 0j).matmul(self.weight).real
'''

MGDA = """
[[variant]]
name = "mgda"
threats = ["pgd"]
scalarizer = "mgda"
"""


@pytest.fixture
def own(recipe, tmp_path, monkeypatch):
    """Return the small study with one of the networks above."""
    (tmp_path / "moat_test_own_nets.py").write_text(NETS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda name: recipe(
        '"tiny-cnn"\nwidth = 4', f'"python:moat_test_own_nets:{name}"', more=MGDA
    )
    sys.modules.pop("moat_test_own_nets", None)


@pytest.mark.parametrize("variant", ["pgd-at", "mgda"])
@pytest.mark.parametrize("name", ["LeNet", "Volume", "Lazy", "Everything", "Doubles"])
def test_it_is_estimated_trained_judged_loaded_and_goes_on(own, train, watch, name, variant):
    path = own(name)
    keys = {"only": (variant,), "overrides": ("training.epochs=2", "data.validation=0.1",
                                              'training.keep="best"')}  # fmt: skip
    estimate_all(plan(path, **keys), "cpu")
    with pytest.raises(watch.Killed):
        train(path, **keys, listener=watch(dies_at=8))
    result = train(path, **keys)
    assert not result.failed
    (folder,) = result.done
    network = moat.load(folder)
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    kept = RunFolder(folder).load_model()
    assert kept.keys() == network.state_dict().keys()


@pytest.mark.parametrize("variant", ["plain", "pgd-at"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Softmax", "the model returns probabilities: every row lies in [0, 1] and adds up to 1."),
        ("Dropout", "the model answers at random: in eval mode, two calls on the same images dif"),
        ("Mixing", "the model's answer to an image depends on the others in its batch: it d"),
        (
            "Half",
            "the model returns logits of type torch.bfloat16, which rounds small differences away.",
        ),
        ("InPlace", "the model changes its input images, and with them the search"),
        ("Virtual", "in train mode, the model runs on a batch of 8 image(s), but not on"),
        ("Fixed", "in train mode, the model runs on a batch of 8 image(s), but not on"),
        ("Few", "in train mode, the model runs on a batch of 8 image(s), but not on"),
        ("Even", "in eval mode, the model runs on a batch of 8 image(s), but not on 3 "),
        ("Frozen", "the network has no parameter that requires a gradient, so training has"),
        ("TwoHeads", "in train mode, the model returns a tuple, not a tensor of logits."),
        ("Binary", "the model returns 1 logits for each image, but the data have 10 classes."),
        ("Keeping", "_extra_state is of type Object, which a checkpoint cannot store as plain"),
    ],
)
def test_it_is_refused_before_anything_is_trained(own, train, name, variant, message):
    path = own(name)
    with pytest.raises(ModelError) as refused:
        estimate_all(plan(path, only=(variant,)), "cpu")
    result = train(path, only=(variant,))
    ((folder, failure),) = result.failed.items()
    for error in (refused.value, failure):
        assert error.where == f"{path}, model"
        assert error.message.startswith(message)
        assert error.hint
    assert not (folder / "checkpoint.pt").exists()
    assert not (folder / "log.jsonl").exists()


def test_what_one_kind_of_scalarizer_trains_another_refuses_in_the_dry_run_too(own, train):
    path = own("Complex")
    estimate_all(plan(path, only=("pgd-at",)), "cpu")
    with pytest.raises(ModelError, match="the parameter weight is complex, and the scalarizer"):
        estimate_all(plan(path, only=("pgd-at", "mgda")), "cpu")
    result = train(path, only=("pgd-at", "mgda"))
    assert [folder.parent.name for folder in result.failed] == ["mgda"]
    assert [folder.parent.name for folder in result.done] == ["pgd-at"]


def test_two_trainings_of_a_network_of_ones_own_are_equal(own, train, tmp_path):
    path = own("LeNet")
    for name in ("LeNet", "Lazy"):
        path = own(name)
        one, other = (
            train(path, only=("pgd-at",), results=tmp_path / f"{name}{n}").done[0] for n in (1, 2)
        )
        for file in ("model.safetensors", "evaluation.npz"):
            assert (one / file).read_bytes() == (other / file).read_bytes()
