"""The door of a training step, and what a network must stand before it is trained."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.parameter import is_lazy

from moat.errors import ModelError
from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.threats import PGD, RT
from moat.training import StepSettings, check_trainable, train_step
from moat.training.guard import to_train, trial

CLASSES = 4
SCALARIZERS = [Natural(), Average(), TwoMoment(rho=0.5, window=2), Max(), MGDA()]


class Net(nn.Module):
    def __init__(self, before=None, after=None, **layers):
        super().__init__()
        self.before, self.after = before, after
        self.conv, self.last = nn.Conv2d(1, 3, 3), nn.Linear(108, CLASSES)
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        x = x if self.before is None else self.before(self, x)
        z = self.last(torch.tanh(self.conv(x)).flatten(1))
        return z if self.after is None else self.after(self, z)


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def x():
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def y():
    return torch.tensor([0, 1, 2, 3, 2, 1])


def step(net, x, y, scalarizer=None, **more):
    scalarizer = copy.deepcopy(scalarizer or Average(include_natural=True))
    threats = {
        "pgd": PGD(epsilon=0.1, step_size=0.05, steps=2),
        "rt": RT(epsilon=0.1, step_size=0.05, steps=1),
    }
    optimizer = more.pop("optimizer", None) or torch.optim.SGD(net.parameters(), lr=0.1)
    return train_step(net, optimizer, threats, scalarizer, x, y, StepSettings(pass_size=4, **more))


def weights(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


# the step


@pytest.mark.parametrize("scalarizer", SCALARIZERS, ids=lambda s: s.name)
@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (x, y.int()),
        lambda x, y: (x, y.to(torch.uint8)),
        lambda x, y: (x, y[:, None]),
        lambda x, y: (x.numpy(), y.tolist()),
        lambda x, y: (x - 1e-8, y),
        lambda x, y: (x.contiguous(memory_format=torch.channels_last), y),
    ],
)
def test_what_has_one_reading_is_trained_on_as_such(scalarizer, change, x, y):
    x[0, 0, 0, 0] = 0
    net, same = Net(), Net()
    same.load_state_dict(net.state_dict())
    step(net, x, y, scalarizer)
    step(same, *change(x, y), scalarizer)
    torch.testing.assert_close(weights(net), weights(same), atol=1e-5, rtol=0)


@pytest.mark.parametrize("scalarizer", SCALARIZERS, ids=lambda s: s.name)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_the_network_alone_is_rounded(scalarizer, dtype, x, y):
    seen = set()
    net = Net(after=lambda _, z: seen.add(z.dtype) or z)
    before = weights(net)
    with torch.autocast("cpu", dtype):
        found = step(net, x, y, scalarizer)
    assert seen == {dtype}
    assert found.losses.values.dtype == torch.float32
    assert weights(net).isfinite().all()
    assert not torch.equal(before, weights(net))


@pytest.mark.parametrize("scalarizer", SCALARIZERS, ids=lambda s: s.name)
def test_a_network_that_answers_in_float64_is_trained(scalarizer, x, y):
    net = Net(after=lambda _, z: z.double())
    before = weights(net)
    step(net, x, y, scalarizer)
    assert not torch.equal(before, weights(net))


@pytest.mark.parametrize(
    ("net", "change", "message"),
    [
        (Net(), lambda x, y: (x, y.float()), "labels are integers, not float32."),
        (Net(), lambda x, y: (x, F.one_hot(y)), "labels are one class for each image, not a row "
        "of 4"),
        (Net(), lambda x, y: (x, y + 1), "a label is 4, but the model has 4 classes, counted"),
        (Net(), lambda x, y: (2 * x - 1, y), "images lie in [0, 1], not in ["),
        (Net(), lambda x, y: ((255 * x).byte(), y), "images are float32 or float64, not uint8."),
        (Net(), lambda x, y: (x[:0], y[:0]), "the batch is empty."),
        (Net().requires_grad_(False), None, "the network has no parameter that requires a gr"),
        (nn.Sequential(nn.Flatten(), nn.LazyLinear(4)), None, "the network was never called, so"),
        (Net(after=lambda _, z: (z, z)), None, "the model returns a tuple, not a tensor of log"),
        (Net(after=lambda n, z: (z, z) if n.training else z), None, "the model returns a tuple, "),
        (Net(after=lambda _, z: z.softmax(1)), None, "the model returns probabilities: every row"),
        (Net(after=lambda _, z: z.bfloat16()), None, "the model returns logits of type torch.bfl"),
        (Net(after=lambda _, z: z[:, :1]), None, "the model returns 1 logit for each image, with"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("scalarizer", [Natural(), Average(), Max(), MGDA()], ids=lambda s: s.name)
def test_what_no_step_can_be_made_of_is_refused_and_nothing_moves(
    net, change, message, scalarizer, x, y
):
    net = copy.deepcopy(net)
    moved = Net() if any(map(is_lazy, net.parameters())) else net
    optimizer = torch.optim.SGD(moved.parameters(), lr=0.1)
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ModelError) as refused:
        step(net, *(change(x, y) if change else (x, y)), scalarizer, optimizer=optimizer)
    assert refused.value.message.startswith(message)
    if moved is net:
        assert all(torch.equal(before[n], v) for n, v in net.state_dict().items())


def test_an_optimizer_of_another_network_is_refused(x, y):
    with pytest.raises(ModelError) as refused:
        step(Net(), x, y, optimizer=torch.optim.SGD(Net().parameters(), lr=0.1))
    assert refused.value.message == "the optimizer moves none of the network's parameters."
    assert "model.parameters()" in refused.value.hint


def test_a_network_that_waits_for_other_ranks_is_refused_with_the_mend(x, y, tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    try:
        with pytest.raises(ModelError, match="wrapped in DistributedDataParallel") as refused:
            step(nn.parallel.DistributedDataParallel(Net()), x, y)
        assert "model.module" in refused.value.hint
    finally:
        torch.distributed.destroy_process_group()


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(64, CLASSES, dtype=torch.complex64))

    def forward(self, x):
        return (x.flatten(1) + 0j).matmul(self.weight).real


@pytest.mark.parametrize("scalarizer", SCALARIZERS, ids=lambda s: s.name)
def test_complex_parameters_are_trained_or_refused_at_once(scalarizer, x, y):
    net = Complex()
    before = net.weight.detach().clone()
    if isinstance(scalarizer, MGDA):
        with pytest.raises(ModelError) as refused:
            step(net, x, y, scalarizer)
        assert refused.value.message == (
            "the parameter weight is complex, and the scalarizer MGDA weighs real gradients."
        )
        assert "torch.view_as_complex" in refused.value.hint
    else:
        step(net, x, y, scalarizer)
        assert not torch.equal(before, net.weight)


# before training


def refusal(net, x, y, scalarizer=None) -> ModelError:
    with pytest.raises(ModelError) as refused:
        check_trainable(net, x, y, scalarizer or Average())
    return refused.value


class Detached(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        return z.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("no backward here")


class Object:
    pass


class Keeping(Net):
    def get_extra_state(self):
        return Object()

    def set_extra_state(self, state):
        pass


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            Net(after=lambda n, z: (z, z) if n.training else z),
            "in train mode, the model returns a tuple, not a tensor of logits.",
        ),
        (
            Net(after=lambda n, z: z[:1] if n.training else z),
            "in train mode, the model returns (1, 4) for 6 image(s), where logits are (6, class",
        ),
        (
            Net(after=lambda n, z: n.missing(z) if n.training else z),
            "in train mode, the model cannot be run on float32 images of the shape (6, 1, 8, 8) (",
        ),
        (
            Net(after=lambda _, z: z.detach()),
            "in train mode, the gradient of the loss does not reach the parameters, so ",
        ),
        (
            Net(after=lambda _, z: Detached.apply(z)),
            "in train mode, the gradient of the loss does not reach the parameters (RuntimeError",
        ),
        (
            Net(after=lambda _, z: (e := z.exp(), z.exp().mul_(2), e.mul_(2))[0]),
            "in train mode, the gradient of the loss does not reach the parameters (RuntimeError",
        ),
        (Net().requires_grad_(False), "the network has no parameter that requires a gradient, so"),
        (Keeping(), "_extra_state is of type Object, which a checkpoint cannot store as plain"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_before(net, message, x, y):
    refused = refusal(net, x, y)
    assert refused.message.startswith(message)
    assert refused.hint


def test_labels_beyond_the_classes_are_refused_wherever_they_stand(x, y):
    refused = refusal(Net(), x, torch.cat([y, y + 3]))
    assert refused.message == "a label is 6, but the model has 4 classes, counted from 0."


@pytest.mark.parametrize("copied", [True, False])
def test_the_network_and_the_random_state_are_left_as_they_were(x, y, copied, monkeypatch):
    net = Net(lambda n, x: n.drop(n.norm(x)), norm=nn.BatchNorm2d(1), drop=nn.Dropout()).eval()
    if not copied:
        monkeypatch.setattr(Net, "__deepcopy__", lambda *_: 1 / 0, raising=False)
    net.norm.train()
    flags = [module.training for module in net.modules()]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    check_trainable(net, x, y, MGDA())
    assert [module.training for module in net.modules()] == flags
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert torch.equal(state, torch.get_rng_state())


def test_of_no_images_nothing_is_asked(x, y):
    check_trainable(Net(after=lambda _, z: (z, z)), x[:0], y[:0], Average())


def in_train_mode(change):
    """Return a function that changes something in train mode alone."""
    return lambda net, value: change(value) if net.training else value


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"before": in_train_mode(lambda x: x.mul_(0.5))}, "changes its input"),
        ({"before": in_train_mode(lambda x: x.data.mul_(0.5))}, "changes its input"),
        ({"after": in_train_mode(lambda z: z.softmax(1))}, "returns probabilities"),
        ({"after": in_train_mode(lambda z: z.bfloat16().softmax(1).float())}, "probabilities"),
        ({"after": in_train_mode(lambda z: z * torch.nan)}, "answers with NaN before"),
    ],
)
def test_what_happens_in_train_mode_alone_is_seen_before_training(parts, message, x, y):
    with pytest.raises(ModelError, match=message):
        check_trainable(Net(**parts), x, y, Average())


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_parameter_that_is_not_finite_is_named_before_training(value, x, y):
    net = Net()
    net.q = nn.Parameter(torch.tensor([1.0, value]))
    with pytest.raises(ModelError, match="the parameter q is not finite before the training"):
        check_trainable(net, x, y, Average())
    net.q.requires_grad_(False)  # a mask of -inf that nobody trains
    check_trainable(net, x, y, Average())


class Widening(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        self.register_buffer("seen", torch.zeros(0))

    def forward(self, x):
        self.seen = torch.cat([self.seen, x.detach().flatten()])
        return super().forward(x)

    def __deepcopy__(self, memo):
        raise TypeError("one of a kind")


def test_a_buffer_that_grew_in_a_trial_is_put_back():
    network = Widening()
    x = torch.ones(3, 1, 1, 2)
    with trial(network, x) as tried:
        tried(x)
        assert tried is network
        assert len(network.seen) == 6
    assert len(network.seen) == 0
    assert not network.state_dict()["seen"].numel()


class Untrainable(nn.Linear):
    def train(self, mode=True):
        raise ValueError("never")


def test_a_network_that_cannot_be_put_into_train_mode_is_refused_by_name():
    with pytest.raises(ModelError) as refused:
        to_train(Untrainable(2, 2))
    assert refused.value.message == "the network cannot be put into train mode (ValueError: never)."
    assert "def train(self, mode=True)" in refused.value.hint


def test_an_empty_container_has_a_copy_like_any_other():
    network = nn.Sequential()
    with trial(network, torch.ones(1, 1, 2, 2)) as tried:
        assert tried is not network
