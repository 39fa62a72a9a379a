"""The doors of every threat: situations that users of such libraries report, handled or refused."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, weight_norm
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.utils._python_dispatch import TorchDispatchMode

from moat.errors import ModelError
from moat.threats import (
    PGD,
    RT,
    AutoAttack,
    Flow,
    RTGrid,
    StAdv,
    Threat,
    ascend,
    attacked,
    door,
    registry,
    search,
    trusted,
)

CLASSES = 4
LINF = {"epsilon": 0.1, "step_size": 0.03, "steps": 2}


class Plugin(Threat):
    """A threat of somebody's own, which searches its own way."""

    def perturb(self, model, x, y, *, generator=None):
        with attacked(model):
            x, y = x.clone(), y.clone()
            given = x.clone().requires_grad_()
            loss = F.cross_entropy(model(given + 0), y, reduction="sum")
            (slope,) = torch.autograd.grad(loss, given)
        return (x + 0.1 * slope.sign()).clamp(0, 1).detach()


THREATS = {
    "pgd": PGD(**LINF),
    "pgd by apgd": PGD(epsilon=0.1, steps=2, search="apgd", loss="dlr"),
    "pgd at random": PGD(epsilon=0.1, steps=2, search="random"),
    "pgd up kl": PGD(**LINF, loss="kl", start="noise"),
    "pgd to a class": PGD(**LINF, norm="l2", loss="targeted-cross-entropy", start="uniform"),
    "msd": registry.get("msd")(
        linf_epsilon=0.1, linf_step_size=0.03, l2_epsilon=0.5, l2_step_size=0.2, steps=2
    ),
    "flow": Flow(**LINF),
    "rt": RT(**LINF),
    "integrated": registry.get("integrated")(
        steps=2, flow_epsilon=0.1, flow_step_size=0.03, rt_epsilon=0.1, rt_step_size=0.03
    ),
    "stadv": StAdv(step_size=0.03, steps=2),
    "photometric": registry.get("photometric")(
        **{f"{end}_{n}": v for end in ("dark", "bright") for n, v in {"epsilon": 0.1}.items()},
        **{f"{end}_step_size": 0.03 for end in ("dark", "bright")},
        steps=2,
    ),
    "rt-grid": RTGrid(degrees=20, pixels=1, rotations=3, translations=1),
    "autoattack": AutoAttack(epsilon=0.1, steps=10, queries=3),
    "plug-in": Plugin(),
}
WITHOUT_GRADIENT = ("pgd at random", "rt-grid")

every_threat = pytest.mark.parametrize("name", THREATS)


def test_the_table_has_every_threat_of_moat():
    own = {entry.name for entry in registry.entries() if entry.origin == "moat-robust"}
    assert own <= {getattr(t, "name", "") for t in THREATS.values()}


class Net(nn.Module):
    """A small network whose images and logits go through two functions of the test's."""

    def __init__(self, before=None, after=None):
        super().__init__()
        self.before, self.after = before, after
        self.conv, self.last = nn.Conv2d(1, 4, 3), nn.Linear(144, CLASSES)

    def forward(self, x):
        x = x if self.before is None else self.before(x)
        z = 3 * self.last(torch.tanh(self.conv(x)).flatten(1))
        return z if self.after is None else self.after(z)


class Plain(nn.Sequential):
    """The same without functions, for what compiles."""

    def __init__(self, *more):
        super().__init__(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, CLASSES))
        self.extend(more)


@pytest.fixture(autouse=True)
def seeded_globally():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def seeded():
    return torch.Generator().manual_seed(3)


@pytest.fixture
def x():
    return torch.rand(6, 1, 8, 8, generator=seeded())


@pytest.fixture
def y():
    return torch.tensor([0, 1, 2, 3, 2, 1])


def found(name, model, x, y):
    images = THREATS[name].perturb(model, x, y, generator=seeded())
    assert images.shape == x.shape
    assert not images.requires_grad
    assert bool(((images >= 0) & (images <= 1)).all())
    return images


# handled: the same images as without


@every_threat
@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (x, y.int()),
        lambda x, y: (x, y.to(torch.uint8)),
        lambda x, y: (x, y[:, None]),
        lambda x, y: (x, y.numpy()),
        lambda x, y: (x, y.tolist()),
        lambda x, y: (x.numpy(), y.numpy()),
        lambda x, y: (x - 3e-8 * (x == x.amin()), y),
        lambda x, y: (x.repeat_interleave(2, 0)[::2], y.repeat_interleave(2)[::2]),
        lambda x, y: (x.contiguous(memory_format=torch.channels_last), y),
    ],
    ids=["int32", "uint8", "(batch, 1)", "numpy", "list", "arrays", "-3e-8", "strides", "nhwc"],
)
def test_what_has_one_reading_is_read(name, change, x, y):
    x[0, 0, 0, 0] = 0
    net = Net()
    expected = found(name, net, x, y)
    torch.testing.assert_close(found(name, net, *change(x, y)), expected, atol=1e-5, rtol=0)


DOUBLE = Plain().double()


@pytest.mark.parametrize("net", [Plain(), DOUBLE], ids=["float32", "float64"])
@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype("float64"),
        lambda x: x.astype("float32"),
        lambda x: x.astype(">f8"),
        lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        lambda x: (255 * x).round().astype("uint8"),
    ],
    ids=["float64", "float32", ">f8", "negative strides", "bytes"],
)
def test_arrays_are_searched_in_the_type_of_the_network(change, net, x, y):
    x = (255 * x).round() / 255
    kind = next(net.parameters()).dtype
    expected = found("pgd", net, x.to(kind), y)
    images = found("pgd", net, change(x.numpy()), y.numpy())
    torch.testing.assert_close(images, expected, atol=1e-6, rtol=0)


def compiled(net):
    return torch.compile(net, backend="eager")


def parallel(net):
    return nn.DataParallel(net)


def scripted(net):
    return torch.jit.script(net)


def traced(net):
    return torch.jit.trace(net.eval(), torch.rand(2, 1, 8, 8))


def frozen(net):
    return net.requires_grad_(False)


def hooked(net):
    for module in net.modules():
        module.register_forward_hook(lambda *_: None)
        module.register_full_backward_hook(lambda *_: None)
    return net


def remembering(net):
    net.register_forward_hook(lambda module, inputs, logits: vars(module).update(seen=inputs))
    return net


def normed(norm):
    def change(net):
        norm(net[0])
        return net.eval()

    return change


WRAPPED = {
    "compiled": compiled,
    "parallel": parallel,
    "scripted": scripted,
    "traced": traced,
    "frozen": frozen,
    "hooked": hooked,
    "remembering": remembering,
    "weight norm": normed(parametrizations.weight_norm),
    "old weight norm": normed(weight_norm),
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch.compile's own
@pytest.mark.parametrize("wrap", WRAPPED)
@every_threat
def test_a_network_in_another_guise_is_searched_as_itself(name, wrap, x, y):
    net = Plain()
    expected = found(name, copy.deepcopy(net), x, y)
    torch.testing.assert_close(found(name, WRAPPED[wrap](net), x, y), expected, atol=1e-4, rtol=0)


@every_threat
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("norm", [parametrizations.spectral_norm, old_spectral_norm])
def test_spectral_norm_counts_nothing_meanwhile(name, norm, x, y):
    net = nn.Sequential(norm(nn.Conv2d(1, 4, 3)), nn.Flatten(), nn.Linear(144, CLASSES)).train()
    before = {n: v.clone() for n, v in net.state_dict().items()}
    found(name, net, x, y)
    assert all(torch.equal(before[n], v) for n, v in net.state_dict().items())
    assert all(module.training for module in net.modules())


def double_inside(net):
    class Double(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = copy.deepcopy(net).double()

        def forward(self, x):
            return self.net(x.double())

    return Double()


@pytest.mark.filterwarnings("ignore:the model returns logits that are not finite")
@every_threat
@pytest.mark.parametrize(
    "make",
    [
        lambda: double_inside(Plain()),
        lambda: Net(before=lambda x: x + 1e-3 * torch.randn_like(x)),
        lambda: Net(before=lambda x: F.dropout(x, training=True)),
        lambda: Plain(nn.LazyLinear(CLASSES))(torch.rand(2, 1, 8, 8)) is None or Net(),
        lambda: Net(after=lambda z: z * torch.nan),
        lambda: Net(after=lambda z: z.masked_fill(torch.eye(CLASSES)[0].bool(), -torch.inf)),
        lambda: nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), Plain()),
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), tied := nn.Conv2d(4, 4, 3, padding=1), tied,
                              nn.Flatten(), nn.Linear(144, CLASSES)),
    ],
    ids=["float64", "noise", "dropout", "lazy", "nan", "-inf", "no counts", "shared"],
)  # fmt: skip
def test_an_odd_network_is_searched_and_left_as_it_was(name, make, x, y):
    net = make().train()
    before = {n: v.clone() for n, v in net.state_dict().items()}
    images = found(name, net, x, y)
    assert images.dtype == x.dtype
    assert all(torch.equal(before[n], v) for n, v in net.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


@every_threat
def test_labels_may_be_of_any_type_where_there_are_no_images(name, x):
    assert found(name, Net(), x[:0], torch.zeros(0)).shape == (0, 1, 8, 8)


@every_threat
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_outer_modes_and_conversions_go_together(name, mode, x, y):
    net = Net()
    expected = found(name, net, x, y)
    with mode():
        images = found(name, net, x.clone() - 1e-9, y.int())
    torch.testing.assert_close(images, expected, atol=1e-4, rtol=0)


# handled: a caller's autocast is the network's alone


@every_threat
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_reaches_the_network_and_nothing_else(name, dtype, x, y):
    seen = set()
    net = Net(after=lambda z: seen.add(z.dtype) or z)
    with torch.autocast("cpu", dtype):
        images = found(name, net, x, y)
        assert torch.is_autocast_enabled("cpu")
    assert seen == {dtype}
    assert images.dtype == torch.float32


@pytest.mark.parametrize("name", ["flow", "rt", "integrated", "stadv"])
@pytest.mark.parametrize("side", [28, 224])
def test_under_autocast_a_warp_reads_where_it_reads_without(name, side):
    x = torch.rand(2, 1, side, side, generator=seeded())
    net = nn.Sequential(nn.AdaptiveAvgPool2d(8), Plain())
    threat = copy.copy(THREATS[name])
    for field in [field for field in vars(threat) if field.endswith(("epsilon", "step_size"))]:
        object.__setattr__(threat, field, 1e-7)  # next to the identity
    with torch.autocast("cpu", torch.bfloat16):
        images = threat.perturb(net, x, torch.tensor([0, 1]))
    assert (images - x).abs().max() < 1e-3


# refused, by every threat, in the same words


def refusal(name, model, x, y):
    with pytest.raises(ModelError) as refused:
        THREATS[name].perturb(model, x, y, generator=seeded())
    assert refused.value.hint
    return refused.value.message


PROBABILITIES = "the model returns probabilities: every row lies in [0, 1] and adds up to 1."
OUTPUTS = {
    "tuple": (lambda z: (z, z), "the model returns a tuple, not a tensor of logits."),
    "dict": (lambda z: {"logits": z}, "the model returns a dict, not a tensor of logits."),
    "object": (
        lambda z: SimpleNamespace(logits=z),
        "the model returns a SimpleNamespace, not a tensor of logits.",
    ),
    "None": (lambda z: None, "the model returns a NoneType, not a tensor of logits."),
    "1-D": (lambda z: z[:, 0], "the model returns (6,) for 6 image(s), where logits are (6, c"),
    "3-D": (lambda z: z[None], "the model returns (1, 6, 4) for 6 image(s), where logits are "),
    "a mean": (lambda z: z.mean(0, True), "the model returns (1, 4) for 6 image(s), where logit"),
    "binary": (lambda z: z[:, :1].sigmoid(), "the model returns 1 logit for each image, without"),
    "integers": (lambda z: z.long(), "the model returns numbers of type torch.int64, which have"),
    "complex": (lambda z: z + 0j, "the model returns numbers of type torch.complex64, which have"),
    "half": (lambda z: z.half(), "the model returns logits of type torch.float16, which rounds"),
    "bfloat": (lambda z: z.bfloat16(), "the model returns logits of type torch.bfloat16, which r"),
    "softmax": (lambda z: z.softmax(1), PROBABILITIES),
    "few": (lambda z: z[:, :3], "a label is 3, but the model has 3 classes, counted from 0."),
}


@every_threat
@pytest.mark.parametrize("output", OUTPUTS)
def test_what_is_no_logits_is_refused(name, output, x, y):
    after, message = OUTPUTS[output]
    assert refusal(name, Net(after=after), x, y).startswith(message)


@every_threat
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y.float()), "labels are integers, not float32."),
        (lambda x, y: (x, y > 0), "labels are integers, not bool."),
        (
            lambda x, y: (x, F.one_hot(y)),
            "labels are one class for each image, not a row of 4 numbers.",
        ),
        (
            lambda x, y: (x, torch.rand(6, 4)),
            "labels are one class for each image, not a row of 4 num",
        ),
        (lambda x, y: (x, y[:5]), "6 image(s) have 6 label(s), not labels of the shape (5,)."),
        (lambda x, y: (x, y + 1), "a label is 4, but the model has 4 classes, counted from 0."),
        (lambda x, y: (x, y - 1), "labels count the classes from 0, but one is -1."),
        (lambda x, y: ((255 * x).byte(), y), "images are float32 or float64, not uint8."),
        (lambda x, y: (x.half(), y), "images are float32 or float64, not float16."),
        (lambda x, y: (x[0], y), "images are (batch, channel, height, width), not of the sh"),
        (lambda x, y: (255 * x, y), "images lie in [0, 1], not in ["),
        (lambda x, y: (x.permute(0, 2, 3, 1), y), "the model cannot be run on float32 images of t"),
        (lambda x, y: (x.double(), y), "the model cannot be run on float64 images of the shape (6"),
        (lambda x, y: (x.repeat(1, 3, 1, 1), y), "the model cannot be run on float32 images of th"),
        (lambda x, y: (x.to("meta"), y), "the images are on meta, but the model is on cpu."),
    ],
)
def test_what_is_no_batch_is_refused(name, change, message, x, y):
    assert refusal(name, Net(), *change(x, y)).startswith(message)


class OwnError(Exception):
    """An error of a user's, of no usual kind."""


@every_threat
@pytest.mark.parametrize(
    "error", [OwnError, OSError, RuntimeError, ImportError, EOFError, UserWarning]
)
def test_whatever_a_network_raises_is_said(name, error, x, y):
    class Failing(Net):
        def forward(self, x):
            raise error("of its own")

    said = refusal(name, Failing(), x, y)
    assert said.startswith("the model cannot be run on float32 images of the shape")
    assert f"({error.__name__}: of its own)" in said


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Plain()

    def forward(self, x):
        x -= 0.5
        return self.net(x)


def made_in_inference_mode():
    with torch.inference_mode():
        return Plain()


@every_threat
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Plain().forward, "the model is of type method, not a torch.nn.Module: it"),
        (lambda: Plain, "the model is the class Plain, not a network."),
        (lambda: None, "the model is of type NoneType, not a torch.nn.Module: it"),
        (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(4)), "the network was never called, s"),
        (lambda: Plain().to("meta"), "the network's 0.weight is on the device meta, without valu"),
        (made_in_inference_mode, "the model was made under torch.inference_mode, so it has no gr"),
        (InPlace, "the model changes its input images, and with them the search"),
    ],
    ids=["function", "class", "None", "lazy", "meta", "inference", "in place"],
)
def test_what_is_no_network_is_refused(name, make, message, x, y):
    assert refusal(name, make(), x, y).startswith(message)


@pytest.mark.parametrize("name", [name for name in THREATS if name not in WITHOUT_GRADIENT])
@pytest.mark.parametrize(
    "before",
    [lambda x: x.detach(), lambda x: (x > 0.5).float(), lambda x: torch.tensor(x.tolist())],
    ids=["detach", "comparison", "made anew"],
)
def test_a_network_that_cuts_the_gradient_is_refused_where_one_is_climbed(name, before, x, y):
    net = Net(before)
    net.conv.weight.data *= 20
    y = net(x).argmax(1)  # else autoattack has nothing to climb
    assert refusal(name, net, x, y).startswith("the gradient of the logits does not reach the im")


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_a_search_without_a_gradient_needs_none(name, x, y):
    found(name, Net(lambda x: x.detach()), x, y)


@pytest.mark.filterwarnings("ignore")
def test_a_quantised_network_is_refused_by_what_climbs(x, y):
    quantised = torch.ao.quantization.quantize_dynamic(Plain().eval(), {nn.Linear})
    message = refusal("pgd", quantised, x, y)
    assert message.startswith("the gradient of the logits does not reach the images")
    found("rt-grid", quantised, x, y)


def test_a_network_that_waits_for_other_ranks_is_searched_bare(x, y, tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    try:
        net = Plain()
        expected = found("pgd", net, x, y)
        wrapped = nn.parallel.DistributedDataParallel(net)
        for _ in range(2):  # a wrapper that waited would raise the second time
            assert torch.equal(found("pgd", wrapped, x, y), expected)
    finally:
        torch.distributed.destroy_process_group()


# the door itself


def test_an_exception_of_the_network_passes_once_it_took_such_images(x, y):
    calls = []

    def later(z):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("later")
        return z

    with pytest.raises(RuntimeError, match="later"):
        THREATS["pgd"].perturb(Net(after=later), x, y)


def test_searching_together_has_the_same_door(x, y):
    threats = [THREATS["pgd"], THREATS["rt"]]
    net = Net()
    expected = search(net, threats, x, y)
    converted = search(net, threats, x.numpy(), y.int().numpy())
    for one, other in zip(expected, converted, strict=True):
        assert torch.equal(one.images, other.images)
    with pytest.raises(ModelError, match="labels are integers, not float32"):
        search(net, threats, x, y.float())


def test_what_was_trusted_is_not_looked_at_again(x, y):
    with trusted(), door("no model", x - 2, y.float()) as behind:
        assert behind[0] == "no model"
        assert torch.equal(behind[1], x - 2)
    with pytest.raises(ModelError), door("no model", x, y):
        pass


def test_an_open_door_computes_nothing(x, y):
    class Count(TorchDispatchMode):
        seen = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            Count.seen += 1
            return function(*args, **(kwargs or {}))

    with Count():
        with trusted(), door(Net, x, y):
            pass
        assert Count.seen == 0
        with door(nn.Identity(), x, y):
            pass
    assert Count.seen > 0


def test_a_perturb_from_anywhere_stands_behind_the_door(x, y):
    class Mixin:
        def perturb(self, model, x, y, *, generator=None):
            assert y.dtype == torch.long
            return x

    class Mixed(Mixin, Threat):
        pass

    class Heir(Mixed):
        def perturb(self, model, x, y, *, generator=None):
            return super().perturb(model, x, y, generator=generator)

    for threat in (Mixed(), Heir()):
        assert torch.equal(threat.perturb(Net(), x, y.int()), x)
        with pytest.raises(ModelError, match="labels are integers"):
            threat.perturb(Net(), x, y.float())


def test_what_the_network_returns_is_looked_at_once_for_its_values(x, y):
    with door(Net(), x, y) as (network, images, _), torch.no_grad():
        network(images)
        network.network.after = lambda z: z.softmax(1)
        network(images)  # in the loop nothing is read
        network.network.after = lambda z: z[0]
        with pytest.raises(ModelError, match=r"the model returns \(4,\) for 6 image"):
            network(images)


def test_float64_logits_are_climbed_and_reported_in_the_type_of_the_images(x, y):
    climb = PGD(**LINF).climb(x, y, at_steps=(0, 1, 2))
    (traces,) = ascend(double_inside(Plain()), [climb], 4)
    for trace in traces.values():
        assert {part.dtype for part in (trace.images, trace.loss, trace.best, trace.first)} == {
            torch.float32
        }


class _Divides(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :4] * (1 / 0)


class _Sparse(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :4].to_sparse()


class _TurnsGradientsOff(nn.Module):
    def forward(self, x):
        torch.set_grad_enabled(False)
        return x.flatten(1)[:, :4]


class _ChangesData(nn.Module):
    def forward(self, x):
        x.data.mul_(0.5)
        return x.flatten(1)[:, :4]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (_Divides(), "cannot be run"),
        (_Sparse(), "not a dense one"),
        (_TurnsGradientsOff(), "gradient of the logits does not reach"),
        (_ChangesData(), "changes its input"),
    ],
    ids=["divides", "sparse", "turns gradients off", "changes data"],
)
def test_a_network_that_fails_in_its_own_way_is_refused_by_name(network, told):
    with pytest.raises(ModelError, match=told):
        PGD(epsilon=0.1, step_size=0.05).perturb(
            network, torch.rand(2, 1, 4, 4), torch.zeros(2, dtype=torch.long)
        )
    assert torch.is_grad_enabled()


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.* is deprecated")
def test_a_network_that_was_just_traced_is_one(batch):
    x, y = batch
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double().eval()
    traced = torch.jit.trace(network, x)
    threat = PGD(epsilon=0.1, step_size=0.05, steps=2)
    assert torch.equal(threat.perturb(traced, x, y), threat.perturb(network, x, y))
