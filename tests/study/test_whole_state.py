"""What is saved of a network is the whole of it, or the network is refused before it is trained."""

import random
import sys

import numpy as np
import pytest
import torch

import moat
from moat.errors import ModelError
from moat.models.saved_state import saved_state
from moat.study import estimate_all, evaluate_model, plan
from moat.study.run_network import require_same_when_loaded
from moat.study.whole_state import draws_apart

NETS = '''
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

GLOBAL = torch.randn(10)
BACKBONE = nn.Linear(64, 16)


class Net(nn.Module):
    """The digits in one layer; `after` is what comes behind it."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(64, 10)
        self.prepare()

    def prepare(self):
        pass

    def forward(self, x):
        return self.after(self.last(x.flatten(1)))

    def after(self, z):
        return z


class Buffer(Net):
    def prepare(self):
        self.register_buffer("scale", torch.randn(10), persistent=False)

    def after(self, z):
        return z * self.scale


class Gated(Buffer):
    def prepare(self):
        super().prepare()
        self.gate = nn.Parameter(torch.zeros(1))

    def after(self, z):
        return z + self.gate * self.scale


class Attribute(Buffer):
    def prepare(self):
        self.scale = torch.randn(10)


class Array(Net):
    def prepare(self):
        self.scale = np.random.rand(10).astype("float32")

    def after(self, z):
        return z * torch.from_numpy(self.scale)


class Value(Buffer):
    def prepare(self):
        self.scale = 1 + random.random()


class Listed(Net):
    def prepare(self):
        self.more = [nn.Linear(10, 10)]

    def after(self, z):
        return self.more[0](z)


class Tabled(Net):
    def prepare(self):
        self.more = {"a": nn.Linear(10, 10)}

    def after(self, z):
        return self.more["a"](z)


class Global(Net):
    def after(self, z):
        return z * GLOBAL


class OfClass(Net):
    scale = torch.randn(10)

    def after(self, z):
        return z * self.scale


def Closed():
    scale = torch.randn(10)

    class Inner(Net):
        def after(self, z):
            return z * scale

    return Inner()


class Average(Net):
    def prepare(self):
        self.mean = torch.zeros(10)

    def after(self, z):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * z.detach().mean(0)
        return z - self.mean


class Stale(Net):
    def prepare(self):
        self.kept = None

    def forward(self, x):
        if self.training or self.kept is None:
            self.kept = self.last.weight.detach().clone()
        weight = self.last.weight if self.training else self.kept
        return F.linear(x.flatten(1), weight, self.last.bias)


class Grows(Net):
    def after(self, z):
        if self.training and not hasattr(self, "late"):
            self.late = nn.Linear(10, 10)
        return z


class Widens(Net):
    def prepare(self):
        self.register_buffer("seen", torch.zeros(0))

    def after(self, z):
        if self.training:
            self.seen = torch.cat([self.seen, z.detach()[:, 0]])
        return z


class Empty(Net):
    def state_dict(self, *args, **keys):
        return {}


class Wrapped(Net):
    def state_dict(self, *args, **keys):
        return {"net": super().state_dict(*args, **keys)}


class Partly(Net):
    def state_dict(self, *args, **keys):
        state = super().state_dict(*args, **keys)
        state.pop("last.bias")
        return state

    def load_state_dict(self, state, strict=True, assign=False):
        return super().load_state_dict(state, strict=False)


class Unsaved(Net):
    def state_dict(self, *args, **keys):
        raise RuntimeError("no state")


class Unloaded(Net):
    def load_state_dict(self, *args, **keys):
        raise RuntimeError("no loading")


class Unset(Net):
    def get_extra_state(self):
        return 3

    def set_extra_state(self, state):
        raise KeyError("three")


class Odd(Net):
    def train(self):
        return self


SINGLE = Net()


def Same():
    return SINGLE


def Shared():
    return nn.Sequential(nn.Flatten(), BACKBONE, nn.Linear(16, 10))


class Bare(Net):
    def prepare(self):
        self.to("meta")


class Rotation(Net):
    def prepare(self):
        self.register_buffer("table", torch.arange(10.0).cos(), persistent=False)
        self.shift = torch.arange(10.0)

    def after(self, z):
        return z * self.table + self.shift


class Seeded(Buffer):
    def prepare(self):
        self.scale = torch.randn(10, generator=torch.Generator().manual_seed(3))


class Caching(Net):
    def prepare(self):
        self.ones = {}

    def after(self, z):
        return z * self.ones.setdefault(len(z), torch.ones(len(z), 1))


class Conjugate(Net):
    def prepare(self):
        values = torch.randn(10, dtype=torch.complex64)
        self.register_buffer("h", values.conj())
        self.register_buffer("i", values.conj().imag)

    def after(self, z):
        return z + self.i + self.h.real


class Table(Net):
    def prepare(self):
        self.table = nn.Embedding(64, 10, sparse=True)

    def after(self, z):
        return z + self.table(torch.arange(64)).mean(0)


def Scripted():
    return torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))


class Turning(Net):
    """Counts the steps of training, and answers otherwise after many."""

    def prepare(self):
        self.steps = 0

    def after(self, z):
        self.steps += self.training
        return z if self.steps < 100 else -z


class Counting(Net):
    def prepare(self):
        self.steps = 0

    def after(self, z):
        self.steps += self.training
        return z


class Sudden(Net):
    """Draws what it multiplies with in its first long epoch."""

    def prepare(self):
        self.steps, self.scale = 0, torch.ones(10)

    def after(self, z):
        if self.training:
            self.steps += 1
            if self.steps > 3:
                self.scale = torch.full((10,), 0.5)
        return z * self.scale
'''

ANOTHER = "saving and loading its weights changes the network: its logits differ by"
NOT_LOADED = "the network's saved state cannot be loaded into it: the network refuses its own"
REFUSED = {
    "Buffer": (ANOTHER, "lacks the buffer scale.", "persistent=True"),
    "Gated": (ANOTHER, "lacks the buffer scale.", "persistent=True"),
    "Attribute": (ANOTHER, "lacks the tensor scale.", "register_buffer"),
    "Array": (ANOTHER, "lacks the array scale.", "register_buffer"),
    "Value": (ANOTHER, "lacks the value scale.", "arguments of the model alone"),
    "Listed": (ANOTHER, "unregistered module: more[0].weight, more[0].bias.", "nn.ModuleList"),
    "Tabled": (ANOTHER, "more['a'].weight, more['a'].bias.", "nn.ModuleDict"),
    "Global": (ANOTHER, "outside of the network: moat_test_whole_nets.GLOBAL", "register_buffer"),
    "OfClass": (ANOTHER, "outside of the network: OfClass.scale", "register_buffer"),
    "Closed": (ANOTHER, "outside of the network: Inner.after.scale.", "register_buffer"),
    "Average": (ANOTHER, "lacks the tensor mean.", "register_buffer"),
    "Stale": (ANOTHER, "lacks the tensor kept.", "register_buffer"),
    "Partly": (ANOTHER, "the parameter or buffer last.bias.", "return every parameter"),
    "Turning": ("the network's logits depend on steps, which training", "", "register_buffer"),
    "Grows": ("the network makes late.weight, late.bias in its first forward", "", "in __init__"),
    "Widens": ("the network reshapes seen in its first forward in train", "", "in __init__"),
    "Empty": (NOT_LOADED, "", "load_state_dict"),
    "Wrapped": (NOT_LOADED, "", "load_state_dict"),
    "Unloaded": (NOT_LOADED, "no loading", "load_state_dict"),
    "Unset": (NOT_LOADED, "KeyError: 'three'", "load_state_dict"),
    "Unsaved": ("the network does not give its state dict (RuntimeError", "", "state_dict"),
    "Odd": ("the network cannot be put into eval mode (TypeError", "", "def train(self, mode"),
    "Same": ("two builds of the network share parameters last", "", "Create every layer"),
    "Shared": ("two builds of the network share parameters 1.w", "", "Create every layer"),
    "Bare": ("the network's last.weight is on the device meta, without v", "", "to_empty"),
}
WHOLE = ["Counting", "Rotation", "Seeded", "Caching", "Conjugate", "Table", "Scripted"]
MODULE = "moat_test_whole_nets"


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    """The module of the networks above, importable."""
    folder = tmp_path_factory.mktemp("nets")
    (folder / f"{MODULE}.py").write_text(NETS, "utf-8")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop(MODULE, None)


@pytest.fixture
def own(recipe, nets):
    """Return the small study with one of the networks above."""
    return lambda name: recipe('"tiny-cnn"\nwidth = 4', f'"python:{MODULE}:{name}"')


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_is_not_what_is_saved_of_it_is_refused_in_the_dry_run(own, name):
    head, cause, mend = REFUSED[name]
    with pytest.raises(ModelError) as refused:
        estimate_all(plan(own(name), only=("plain",)), "cpu")
    assert refused.value.where.endswith("study.toml, model")
    assert refused.value.message.startswith(head)
    assert cause in refused.value.message
    assert mend in refused.value.hint


def test_what_is_drawn_on_the_way_changes_no_later_draw():
    def draws():
        return torch.rand(1).item(), random.random(), np.random.rand()

    def seed():
        torch.manual_seed(1), random.seed(1), np.random.seed(1)

    seed()
    expected = draws()
    seed()
    with draws_apart():
        draws()
    assert draws() == expected


@pytest.mark.parametrize("name", ["Buffer", "Listed", "Grows", "Same"])
def test_and_nothing_of_it_is_trained(own, train, name):
    ((folder, failure),) = train(own(name), only=("plain",)).failed.items()
    assert failure.message.startswith(REFUSED[name][0])
    assert not (folder / "checkpoint.pt").exists()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("name", WHOLE)
def test_what_depends_on_the_arguments_alone_is_trained_and_comes_back_the_same(own, train, name):
    overrides = ("optimizer.type='adamw'", "optimizer.lr=0.01", "training.epochs=2")
    result = train(own(name), only=("pgd-at",), overrides=overrides)
    assert not result.failed
    one, other = (moat.load(result.done[0], allow_code=True) for _ in range(2))
    x = torch.rand(4, 1, 8, 8)
    assert one(x).equal(other(x))


def test_what_shows_only_after_training_ends_the_run_unfinished(own, train):
    ((folder, failure),) = train(own("Sudden"), only=("plain",)).failed.items()
    assert failure.message.startswith(ANOTHER)
    assert "scale" in failure.message
    assert not (folder / "run.json").exists()
    assert not (folder / "model.safetensors").exists()


def test_a_run_from_before_is_not_loaded_where_a_part_of_it_is_drawn_anew(own, train, monkeypatch):
    for name in ("require_saved_whole", "require_same_when_loaded"):
        monkeypatch.setattr(f"moat.study.one_run.{name}", lambda *_: None)
    (folder,) = train(own("Buffer"), only=("plain",)).done
    with pytest.raises(ModelError, match="lacks the buffer scale") as refused:
        moat.load(folder, allow_code=True)
    assert refused.value.where == str(folder)


@pytest.mark.parametrize("name", ["Buffer", "Attribute", "Listed", "Global", "Closed"])
def test_a_checkpoint_that_is_not_all_of_a_network_is_refused(own, results, tmp_path, name):
    path = own(name)
    estimate_all(plan(own("Rotation"), only=("plain",)), "cpu")  # imports the module
    torch.save(getattr(sys.modules[MODULE], name)().state_dict(), tmp_path / "theirs.pt")
    with pytest.raises(ModelError) as refused:
        evaluate_model(
            f"python:{MODULE}:{name}", path, checkpoint=tmp_path / "theirs.pt", results=results
        )
    assert refused.value.message.startswith(ANOTHER)
    assert REFUSED[name][1] in refused.value.message


@pytest.mark.parametrize("name", ["Buffer", "Attribute", "Array", "Listed", "Closed", "Value"])
def test_networks_of_equal_weights_that_differ_beside_them_are_two(own, results, name):
    path = own("Rotation")
    estimate_all(plan(path, only=("plain",)), "cpu")
    make = getattr(sys.modules[MODULE], name)
    one, other = make(), make()
    other.load_state_dict(saved_state(one))
    assert not evaluate_model(one, path, name="theirs", results=results).before
    assert evaluate_model(one, path, name="theirs", results=results).before
    with pytest.raises(moat.MoatError, match="the evaluation of another model"):
        evaluate_model(other, path, name="theirs", results=results)


def test_a_trained_network_is_compared_on_its_own_device(own):
    (planned,) = plan(own("Rotation"), only=("plain",))
    data = planned.dataset.load(None)
    torch.manual_seed(0)
    network = planned.model.build(data.shape, 10)
    require_same_when_loaded(network, planned.model, data)
