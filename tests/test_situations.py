"""Situations that users of such libraries report, at the doors where each matters.

Handled: the same numbers as without. Refused: a MoatError that says what and the mend, before
anything moved. What `tests/threats/test_guard.py` has for every threat is not repeated here.
"""

import copy
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.nn.utils import parametrizations, prune
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint
from torchvision import tv_tensors

from moat.data import Data, Split
from moat.errors import MoatError
from moat.evaluation import Protocol, evaluate
from moat.scalarizers import MGDA, Average, Max
from moat.threats import PGD, AutoAttack, RTGrid, search
from moat.training import StepSettings, check_trainable, train_step

LINF = {"epsilon": 0.1, "step_size": 0.05, "steps": 2}
THREATS = {
    "pgd": PGD(**LINF),
    "rt-grid": RTGrid(degrees=20, pixels=1, rotations=2, translations=1),
    "autoattack": AutoAttack(epsilon=0.1, steps=10, queries=2),
}
CLIMBS = ("pgd", "autoattack")


def seeded():
    return torch.Generator().manual_seed(3)


X = torch.rand(6, 1, 8, 8, generator=seeded())
Y = torch.tensor([0, 1, 2, 3, 2, 1])
SPLIT = Split((255 * X).byte(), Y, torch.arange(6))
DATA = Data(SPLIT, SPLIT, tuple("abcd"))


class Net(nn.Module):
    """A small network whose images and logits go through two functions of the test's."""

    def __init__(self, before=None, after=None):
        super().__init__()
        self.before, self.after = before, after
        self.conv, self.last = nn.Conv2d(1, 4, 3), nn.Linear(144, 4)

    def forward(self, x):
        x = x if self.before is None else self.before(x)
        z = 3 * self.last(torch.tanh(self.conv(x)).flatten(1))
        return z if self.after is None else self.after(z)


def plain(before=None, after=None):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Net(before, after)


RIGHT = plain()(X).argmax(1).where(torch.arange(6) < 3, Y)  # half of them are classified correctly


class Silent(Net):
    """Overrides `train` to freeze a layer, and forgets to return itself."""

    def train(self, mode=True):
        super().train(mode)


class Around(nn.Module):
    """A network within a function of the network and the images."""

    def __init__(self, function, net=None):
        super().__init__()
        self.net, self.function = net or plain(), function

    def forward(self, x):
        return self.function(self.net, x)


class Sub(torch.Tensor):
    """A subclass that adds nothing."""


class Stubborn(torch.Tensor):
    """A subclass that has no function of torch's."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise TypeError(f"no implementation of {func}")


class Straight(torch.autograd.Function):
    """Rounds to 256 levels, with the gradient of the identity."""

    @staticmethod
    def forward(ctx, x):
        return x + 0

    @staticmethod
    def backward(ctx, slope):
        return slope


class Inside(nn.Module):
    """Descends on its own input before it answers, with a graph of its own."""

    def __init__(self):
        super().__init__()
        self.net = plain()

    def forward(self, x):
        with torch.enable_grad():
            inner = x if x.requires_grad else x.detach().requires_grad_()
            z = self.net(inner)
            (slope,) = torch.autograd.grad(z.square().sum(), inner, create_graph=True)
        return z + 0 * slope.flatten(1).sum(1, keepdim=True)


def silent():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Silent()


def exported(batch=6):
    return torch.export.export(plain().eval(), (X[:batch],)).module()


def pruned():
    net = plain()
    prune.identity(net.conv, "weight")
    return net


def orthogonal():
    return nn.Sequential(nn.Flatten(), parametrizations.orthogonal(nn.Linear(64, 4)))


def averaged():
    net = AveragedModel(plain())
    net.update_parameters(plain())
    return net


def rounding(net, x):
    return net(Straight.apply(x))


def reentrant(net, x):
    return checkpoint(net, x, use_reentrant=True) if x.requires_grad else net(x)


def call(net, x):
    return net(x)


def half_inside(net, x):
    return (net(x).double() * 1.0).float()


HANDLED = {
    "train returns nothing": silent,
    "exported": exported,
    "traced by fx": lambda: torch.fx.symbolic_trace(Plain_of()),
    "averaged weights": averaged,
    "pruned": pruned,
    "data parallel": lambda: nn.DataParallel(plain()),
    "checkpointed": lambda: Around(lambda net, x: checkpoint(net, x, use_reentrant=False)),
    "straight through": lambda: Around(rounding),
    "float64 inside": lambda: Around(half_inside),
    "a gradient inside": Inside,
    "channels last inside": lambda: Around(
        lambda net, x: net(x.contiguous(memory_format=torch.channels_last))
    ),
    "logits transposed": lambda: plain(after=lambda z: z.t().contiguous().t()),
    "logits of a subclass": lambda: plain(after=lambda z: z.as_subclass(Sub)),
    "logits of a view": lambda: plain(after=lambda z: torch.cat([z, z], 1)[:, :4]),
    "a hook on the images": lambda: plain(
        before=lambda x: (x.register_hook(lambda g: g) if x.requires_grad else 0) is None or x
    ),
    "a cache of the images": lambda: Around(lambda net, x: setattr(net, "seen", x) or net(x)),
    "buffers that require a gradient": lambda: with_buffer(plain()),
    "no deepcopy": lambda: Around(lambda net, x: net(x), uncopied(plain())),
}  # fmt: skip


def Plain_of():
    net = plain()
    return nn.Sequential(net.conv, nn.Tanh(), nn.Flatten(), net.last, Times())


class Times(nn.Module):
    """Times three."""

    def forward(self, z):
        return 3 * z


def with_buffer(net):
    net.register_buffer("scale", torch.ones(1, requires_grad=True))
    return net


def uncopied(net):
    net.lock = (value for value in ())  # a generator, which nothing copies
    return net


SEARCHED = [
    (situation, name)
    for situation in HANDLED
    for name in THREATS
    if (situation, name)
    != ("exported", "autoattack")  # exported for six images, and takes no other
]


@pytest.mark.parametrize(("situation", "name"), SEARCHED)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_it_is_searched_as_the_network_that_it_is(situation, name):
    net = HANDLED[situation]()
    expected = THREATS[name].perturb(plain(), X, RIGHT, generator=seeded())
    found = THREATS[name].perturb(net, X, RIGHT, generator=seeded())
    assert type(found) is torch.Tensor
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("situation", [n for n in HANDLED if n != "exported"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_it_is_trained_and_judged_as_the_network_that_it_is(situation):
    net, own = HANDLED[situation](), plain()
    check_trainable(net, X, Y, Average())
    protocol = Protocol({"pgd": THREATS["pgd"]})
    expected = evaluate(own, SPLIT, protocol).found.losses
    np.testing.assert_allclose(evaluate(net, SPLIT, protocol).found.losses, expected, atol=1e-4)
    losses = [step(one, MGDA()).losses.values for one in (net, own)]
    torch.testing.assert_close(losses[0], losses[1], atol=1e-4, rtol=0)


def step(
    net, scalarizer=None, x=X, y=Y, *, threats=None, optimizer=None, pass_size=8, generator=None
):
    optimizer = optimizer or torch.optim.SGD(net.parameters(), lr=0.01)
    threats = {"pgd": THREATS["pgd"]} if threats is None else threats
    scalarizer = Average() if scalarizer is None else scalarizer
    settings = StepSettings(pass_size, generator)
    return train_step(net, optimizer, threats, scalarizer, x, y, settings)


# networks that are refused

Named = namedtuple("Named", "logits aux")


class ModelOutput(OrderedDict):
    """As a well-known library returns it: a table with attributes."""


NO_GRADIENT = "the gradient of the logits does not reach the images"
REFUSED = {
    "named tuple": (lambda: plain(after=lambda z: Named(z, z)), "the model returns a Named, not a"),
    "model output": (lambda: plain(after=lambda z: ModelOutput(logits=z)), "the model returns a M"),
    "list of one": (lambda: plain(after=lambda z: [z]), "the model returns a list, not a tensor"),
    "generator": (lambda: plain(after=lambda z: (r for r in z)), "the model returns a generator, "),
    "array": (lambda: plain(after=lambda z: z.detach().numpy()), "the model returns a ndarray, no"),
    "own functions": (lambda: plain(after=lambda z: z.as_subclass(Stubborn)), "the model returns "),
    "elsewhere": (lambda: plain(after=lambda z: z.to("meta")), "the model returns logits on meta "),
    "sparse": (lambda: plain(after=lambda z: z.to_sparse()), "the model returns a tensor of layou"),
    "two arguments": (lambda: Around(lambda net, x: net(x, x)), "the model cannot be run on float"),
    "list of images": (lambda: plain(before=lambda x: x["pixel_values"]), "the model cannot be ru"),
    "four images": (lambda: plain(before=lambda x: x.reshape(4, 1, 8, 8)), "the model cannot be r"),
    "exported for four": (lambda: exported(4), "the model cannot be run on float32 images of the "),
    "colour": (lambda: plain(before=lambda x: x.expand(-1, 3, -1, -1)), "the model cannot be run "),
    "numpy inside": (lambda: plain(before=lambda x: torch.from_numpy(x.numpy())), NO_GRADIENT),
    "parameter of logits": (lambda: plain(after=nn.Parameter), NO_GRADIENT),
    "no_grad inside": (lambda: Around(torch.no_grad()(call)), NO_GRADIENT),
    "inference inside": (lambda: Around(torch.inference_mode()(call)), NO_GRADIENT),
    "checkpointed, reentrant": (lambda: Around(reentrant), NO_GRADIENT),
    "in place": (lambda: plain(before=lambda x: F.relu(x, inplace=True)), "the model changes its "),
}  # fmt: skip
UNFELT = (
    "checkpointed, reentrant",
    "numpy inside",
    "parameter of logits",
    "no_grad inside",
    "inference inside",
)


@pytest.mark.parametrize("name", THREATS)
@pytest.mark.parametrize("situation", REFUSED)
def test_a_network_that_cannot_be_searched_is_refused_by_name(situation, name):
    make, message = REFUSED[situation]
    if situation in UNFELT and name not in CLIMBS:
        THREATS[name].perturb(make(), X, Y)
        return
    with pytest.raises(MoatError) as refused:
        THREATS[name].perturb(make(), X, RIGHT)
    if (situation, name) == ("checkpointed, reentrant", "autoattack"):
        message = "the search apgd-ce of autoattack fails on this model (RuntimeError: When use_ree"
    if situation == "numpy inside":
        message = "the model cannot be run on float32 images"  # numpy() of what requires a gradient
    assert refused.value.message.startswith(message)
    assert refused.value.hint


@pytest.mark.parametrize("situation", REFUSED)
def test_a_network_that_cannot_be_judged_is_refused_before_the_search(situation):
    make, _ = REFUSED[situation]
    with pytest.raises(MoatError) as refused:
        evaluate(make(), SPLIT, Protocol({"pgd": THREATS["pgd"]}))
    assert refused.value.hint


@pytest.mark.parametrize("situation", REFUSED)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
def test_a_network_that_cannot_be_trained_is_refused_and_nothing_moves(situation):
    make, _ = REFUSED[situation]
    net = make()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(MoatError):
        step(net)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


@pytest.mark.parametrize("make", [lambda: plain(after=lambda z: z.reshape(6, 4)), exported])
def test_a_network_of_one_batch_size_is_refused_where_a_search_takes_others(make):
    THREATS["pgd"].perturb(make(), X, Y)
    with pytest.raises(MoatError) as refused:
        THREATS["autoattack"].perturb(make(), X, RIGHT)
    assert refused.value.message.startswith("the model runs on a batch of 6 image(s), but not on")
    assert "a traced or exported network needs a dynamic batch" in refused.value.hint


def test_an_exported_network_is_not_trained():
    with pytest.raises(MoatError, match="the network cannot be put into train mode"):
        check_trainable(exported(6), X[:6], Y, Average())


def test_batch_norm_has_no_variance_of_one_image():
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 4))
    with pytest.raises(MoatError, match=r"cannot be run on 1|cannot be run on float32 images"):
        step(net, x=X[:1], y=Y[:1])


# images and labels


def memory_mapped(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, X.numpy())
    return np.load(path, mmap_mode="r")


def grown():
    return (X.clone().requires_grad_() * 1.0) + 0.0


IMAGES = {
    "parameter": lambda tmp: nn.Parameter(X.clone()),
    "subclass": lambda tmp: X.as_subclass(Sub),
    "stubborn": lambda tmp: X.as_subclass(Stubborn),
    "torchvision's": lambda tmp: tv_tensors.Image(X),
    "of a graph": lambda tmp: grown(),
    "memory-mapped": memory_mapped,
    "mirrored twice": lambda tmp: np.ascontiguousarray(X.numpy()[:, :, :, ::-1])[:, :, :, ::-1],
    "another byte order": lambda tmp: X.numpy().astype(">f4"),
    "fortran": lambda tmp: np.asfortranarray(X.numpy()),
    "every other": lambda tmp: X.repeat_interleave(2, 3)[:, :, :, ::2],
    "made in inference": lambda tmp: torch.inference_mode()(lambda: X.clone())(),
}
LABELS = {
    "uint16": lambda: Y.to(torch.uint16),
    "subclass": lambda: Y.as_subclass(Stubborn),
    "numpy's own": lambda: [np.int32(one) for one in Y.tolist()],
    "tuple": lambda: tuple(Y.tolist()),
    "column": lambda: Y.numpy()[:, None],
    "made in inference": lambda: torch.inference_mode()(lambda: Y.clone())(),
}


@pytest.mark.parametrize("name", ["pgd", "rt-grid", "train_step"])
@pytest.mark.parametrize("situation", [*IMAGES, *(f"labels: {name}" for name in LABELS)])
def test_what_has_one_reading_is_read_as_such(situation, name, tmp_path):
    x = IMAGES[situation](tmp_path) if situation in IMAGES else X
    y = Y if situation in IMAGES else LABELS[situation.removeprefix("labels: ")]()
    if name == "train_step":
        found, expected = (step(plain(), Max(), *b).losses.values for b in ((x, y), (X, Y)))
    else:
        found, expected = (THREATS[name].perturb(plain(), *b) for b in ((x, y), (X, Y)))
    torch.testing.assert_close(found, expected, equal_nan=True, atol=0, rtol=0)
    assert type(found) is torch.Tensor


def fake(x):
    with FakeTensorMode() as mode:
        return mode.from_tensor(x)


WRONG = {
    "fake": (lambda: (fake(X), Y), "the images are of type FakeTensor, a tensor with arithmetic "
    "of"),
    "fake labels": (lambda: (X, fake(Y)), "the labels are of type FakeTensor, a tensor with ar"),
    "a list of images": (lambda: (list(X), Y), "images are a tensor (batch, channel, height, widt"),
    "complex": (lambda: (X + 0j, Y), "images are float32 or float64, not complex64."),
    "bool": (lambda: (X > 0.5, Y), "images are float32 or float64, not bool."),
    "bfloat16": (lambda: (X.bfloat16(), Y), "images are float32 or float64, not bfloat16."),
    "float16 array": (lambda: (X.half().numpy(), Y), "images are float32 or float64, not float16."),
    "objects": (lambda: (X.numpy().astype(object), Y), "images must be numbers ("),
    "from -1": (lambda: (2 * X - 1, Y), "images lie in [0, 1], not in [-0.9"),
    "to 255": (lambda: (255 * X, Y), "images lie in [0, 1], not in ["),
    "infinite": (lambda: (X + torch.inf * (X > 0.9), Y), "images lie in [0, 1], not in ["),
    "nan": (lambda: (X.masked_fill(X > 0.9, torch.nan), Y), "images lie in [0, 1], not in [nan, n"),
    "volume": (lambda: (X[:, :, None], Y), "images are (batch, channel, height, width), not of th"),
    "no pixels": (lambda: (X[..., :0], Y), "the images have no pixels: their shape is (6, 1, 8, 0"),
    "quantised": (lambda: (X.to_sparse(), Y), "images are a dense tensor, not torch.sparse_coo."),
    "one label": (lambda: (X[:1], Y[0]), "1 image(s) have 1 label(s), not labels of the shape ()."),
    "a row of labels": (lambda: (X, Y[None]), "6 image(s) have 6 label(s), not labels of the shap"),
    "soft labels": (lambda: (X, F.one_hot(Y) * 0.9), "labels are one class for each image, not a "
    "row of"),
    "swapped": (lambda: (Y, X), "images are (batch, channel, height, width), not of the shape (6,"),
    "text": (lambda: (X, ["cat"] * 6), "labels must be numbers"),
    "floats": (lambda: (X, [0.0, 1.0] * 3), "labels are integers, not float64."),
    "from one": (lambda: (X, Y + 1), "a label is 4, but the model has 4 classes, counted from 0."),
    "ignored": (lambda: (X, Y.masked_fill(Y == 3, -100)), "labels count the classes from 0, but o"),
}  # fmt: skip


@pytest.mark.parametrize("situation", WRONG)
@pytest.mark.filterwarnings("ignore:Can't initialize NVML:UserWarning")
def test_a_batch_that_is_none_is_refused_in_the_same_words_at_every_door(situation):
    make, message = WRONG[situation]
    net, said = plain(), set()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for door in (*(t.perturb for t in THREATS.values()), lambda net, x, y: step(net, None, x, y)):
        with pytest.raises(MoatError) as refused:
            door(net, *make())
        said.add(refused.value.message)
        assert refused.value.message.startswith(message)
    assert len(said) == 1
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


# what a step takes beside them

STEPS = {
    "a list of threats": ({"threats": [THREATS["pgd"]]}, "threats are a table from names to threa"),
    "a class of threats": ({"threats": {"pgd": PGD}}, "the threat 'pgd' is the class PGD, not a "),
    "a name of a threat": ({"threats": {"pgd": "pgd"}}, "the threat 'pgd' is the text 'pgd', "),
    "a threat called natural": ({"threats": {"natural": THREATS["pgd"]}}, "a threat cannot have"),
    "a class of scalarizers": ({"scalarizer": Max}, "the scalarizer is the class Max, not a scal"),
    "a name of a scalarizer": ({"scalarizer": "max"}, "the scalarizer is 'max', not a scalarizer"),
    "an empty pass": ({"pass_size": 0}, "a pass holds at least one example, not 0."),
    "a class of optimizers": ({"optimizer": "sgd"}, "the optimizer is 'sgd', not an optimizer of "),
}  # fmt: skip


@pytest.mark.parametrize("situation", STEPS)
def test_what_is_no_part_of_a_step_is_refused_by_name(situation):
    keys, message = STEPS[situation]
    with pytest.raises(MoatError) as refused:
        step(plain(), **keys)
    assert refused.value.message.startswith(message)
    assert refused.value.hint


SEARCHES = {
    "a seed": ({"generator": 3}, "the generator is 3, not a torch.Generator."),
    "an empty pass": ({"pass_size": 0}, "a pass holds at least one example, not 0."),
    "half a pass": ({"pass_size": 2.5}, "a pass holds at least one example, not 2.5."),
    "one threat": ({"threats": THREATS["pgd"]}, "threats are a list, not of type PGD."),
    "a table": ({"threats": {"pgd": THREATS["pgd"]}}, "threats are a list, not of type dict."),
    "a class": ({"threats": [PGD]}, "a threat is the class PGD, which the loop cannot search."),
    "another kind": ({"threats": [THREATS["autoattack"]]}, "a threat is of type AutoAttack, which"),
}


@pytest.mark.parametrize("situation", SEARCHES)
def test_what_is_no_part_of_a_search_is_refused_by_name(situation):
    keys, message = SEARCHES[situation]
    with pytest.raises(MoatError) as refused:
        search(
            plain(),
            keys.get("threats", [THREATS["pgd"]]),
            X,
            Y,
            **{name: value for name, value in keys.items() if name != "threats"},
        )
    assert refused.value.message.startswith(message)
    assert refused.value.hint


def of_a_class():
    """Return what nobody checks the types of outside of these tests."""
    protocol = Protocol({})
    object.__setattr__(protocol, "threats", {"pgd": PGD})
    return protocol


JUDGED = {
    "images alone": ((X, Protocol({})), "the data are Tensor of float"),
    "a name": ((SPLIT, "pgd"), "the protocol is 'pgd', not a Protocol."),
    "a class": ((SPLIT, of_a_class()), "the threat 'pgd' is the class PGD, not a thre"),
}


@pytest.mark.parametrize("situation", JUDGED)
def test_what_is_no_part_of_an_evaluation_is_refused_by_name(situation):
    arguments, message = JUDGED[situation]
    with pytest.raises(MoatError) as refused:
        evaluate(plain(), *arguments)
    assert refused.value.message.startswith(message)
    assert refused.value.hint


def test_a_negative_pass_is_refused_by_an_evaluation():
    with pytest.raises(MoatError, match=r"a pass holds at least one example, not -1\."):
        evaluate(plain(), SPLIT, Protocol({"pgd": THREATS["pgd"]}), pass_size=-1)


class Unmade(nn.Module):
    """Forgets to call what makes it a module."""

    def __init__(self):
        pass


def within_itself():
    net = plain()
    net.back = net
    return net


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Unmade, "the model, Unmade, was not initialised as a module."),
        (within_itself, "the network contains itself, so it cannot be put into eval mode."),
    ],
)
def test_a_module_that_is_none_is_refused_by_name(make, message):
    with pytest.raises(MoatError) as refused:
        THREATS["pgd"].perturb(make(), X, Y)
    assert refused.value.message == message
    assert refused.value.hint


def test_an_optimizer_that_asks_for_the_loss_again_is_refused():
    net = plain()
    with pytest.raises(MoatError, match="LBFGS needs the loss several times in a step"):
        step(net, optimizer=torch.optim.LBFGS(net.parameters()))


def test_a_frozen_part_stays_and_the_rest_is_trained():
    for scalarizer in (Average(), Max(), MGDA()):
        net = plain()
        net.conv.requires_grad_(False)
        before = copy.deepcopy(net)
        step(net, scalarizer)
        assert torch.equal(net.conv.weight, before.conv.weight)
        assert not torch.equal(net.last.weight, before.last.weight)
        assert not net.conv.weight.requires_grad


def test_weights_that_two_layers_share_move_as_one():
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64), nn.Linear(64, 4)
    )
    net[3].weight = net[1].weight
    step(net, MGDA())
    assert net[3].weight is net[1].weight
    evaluate(net, SPLIT, Protocol({"pgd": THREATS["pgd"]}))


@pytest.mark.filterwarnings("ignore::moat.errors.MoatWarning")  # one pixel leaves such an image
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 3), (5, 1, 9)])
@pytest.mark.parametrize("name", THREATS)
def test_images_of_any_shape_and_count_of_channels_are_searched(shape, name):
    x = torch.rand(3, *shape, generator=seeded())
    net = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 4))
    found = THREATS[name].perturb(net, x, Y[:3])
    assert found.shape == x.shape
    assert bool(((found >= 0) & (found <= 1)).all())
