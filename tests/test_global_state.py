"""What a caller set in torch for everything changes no number, whatever door it stands around."""

import copy
from contextlib import contextmanager

import pytest
import torch
from torch import nn

import moat
from moat.data import Data, Digits, Split, shuffled_batches
from moat.evaluation import Protocol, evaluate, make_gallery
from moat.evaluation.model_checks import check_model
from moat.evaluation.sanity import examine
from moat.models import built
from moat.models import registry as models
from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.threats import PGD, RT, AutoAttack, Flow, Integrated, RTGrid, StAdv, registry, search
from moat.training import StepSettings, train_step

LINF = {"epsilon": 0.1, "step_size": 0.03, "steps": 2}
PHOTOMETRIC = {f"{end}_{n}": v for end in ("dark", "bright")
               for n, v in {"epsilon": 0.1, "step_size": 0.03}.items()}  # fmt: skip
THREATS = {
    "pgd": PGD(**LINF, start="uniform"),
    "apgd": PGD(epsilon=0.1, steps=2, search="apgd", loss="dlr"),
    "random": PGD(epsilon=0.1, steps=2, search="random"),
    "kl": PGD(**LINF, loss="kl", start="noise"),
    "l2": PGD(**LINF, norm="l2", loss="targeted-cross-entropy", start="uniform"),
    "l1": PGD(epsilon=2.0, step_size=0.5, steps=2, norm="l1", start="uniform"),
    "flow": Flow(**LINF),
    "rt": RT(**LINF),
    "integrated": Integrated(
        steps=2, flow_epsilon=0.1, flow_step_size=0.03, rt_epsilon=0.1, rt_step_size=0.03
    ),
    "stadv": StAdv(step_size=0.03, steps=2),
    "photometric": registry.get("photometric")(**PHOTOMETRIC, steps=2),
    "rt-grid": RTGrid(degrees=20, pixels=1, rotations=3, translations=1),
    "rt-grid at random": RTGrid(degrees=20, pixels=1, worst_of=3),
    "autoattack": AutoAttack(epsilon=0.1, steps=10, queries=5),
    "autoattack in l2": AutoAttack(epsilon=0.5, norm="l2", steps=10, queries=5),
    "autoattack in l1": AutoAttack(epsilon=3.0, norm="l1", steps=10, queries=5),
}
SCALARIZERS = {one.name: one for one in (Natural(), Average(), Max(), TwoMoment(rho=0.5), MGDA())}


def seeded():
    return torch.Generator().manual_seed(3)


X = torch.rand(6, 1, 8, 8, generator=seeded())
Y = torch.tensor([0, 1, 2, 3, 2, 1])
SPLIT = Split((255 * torch.rand(20, 1, 8, 8, generator=seeded())).byte(), torch.arange(20) % 4,
              torch.arange(20))  # fmt: skip
DATA = Data(SPLIT, SPLIT, tuple("abcd"))
PROTOCOL = Protocol({"pgd": THREATS["pgd"], "rt-grid": THREATS["rt-grid"]})
with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    NET = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 4))


def perturbed(name, seed=None):
    torch.manual_seed(5)
    return [THREATS[name].perturb(NET, X, Y, generator=seeded() if seed else None)]


def stepped(name):
    with torch.inference_mode(False):
        net, own = copy.deepcopy(NET), copy.deepcopy(SCALARIZERS[name])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    threats = {"pgd": THREATS["pgd"], "rt": THREATS["rt"]}
    settings = StepSettings(pass_size=8, generator=seeded())
    steps = [train_step(net, optimizer, threats, own, X, Y, settings) for _ in range(2)]
    seen = [part for step in steps for part in (step.losses.values, step.weights)]
    return [*seen, *(p.detach() for p in net.parameters())]


def judged():
    found = evaluate(NET, SPLIT, PROTOCOL)
    return [*map(torch.from_numpy, (found.outcomes.values, found.found.losses))]


def examined():
    return [check.as_table() for check in examine(evaluate(NET, SPLIT, PROTOCOL), NET, DATA)]


def drawn(name):
    torch.manual_seed(0)
    network = built(models.get(name)(), (3, 32, 32), 5)
    return [value.clone() for value in network.state_dict().values()]


def batches():
    split = Digits().load(None).train.take(torch.arange(64, device="cpu"))
    return [part for pair in shuffled_batches(split, 16, seeded()) for part in pair]


DOORS = {
    **{f"perturb, {name}": lambda name=name: perturbed(name) for name in THREATS},
    **{f"perturb, {n}, seeded": lambda n=n: perturbed(n, 1) for n in ("kl", "l1", "random")},
    **{f"train_step, {name}": lambda name=name: stepped(name) for name in SCALARIZERS},
    **{f"built, {n}": lambda n=n: drawn(n) for n in ("tiny-cnn", "small-cnn", "preact-resnet18")},
    "search": lambda: [t.images for t in search(NET, [THREATS["pgd"], THREATS["flow"]], X, Y)],
    "check_model": lambda: [check_model(NET, X, 4)],
    "evaluate": judged,
    "make_gallery": lambda: [torch.from_numpy(make_gallery(NET, DATA, PROTOCOL).adversarial)],
    "examine": examined,
    "batches": batches,
}


@contextmanager
def set_for_all(setter, value, before):
    setter(value)
    try:
        yield
    finally:
        setter(before)


STATES = {
    "default device": lambda: set_for_all(torch.set_default_device, "meta", None),
    "with a device": lambda: torch.device("meta"),
    **{
        str(dtype): lambda dtype=dtype: set_for_all(torch.set_default_dtype, dtype, torch.float32)
        for dtype in (torch.float64, torch.bfloat16)
    },
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "deterministic": lambda: set_for_all(torch.use_deterministic_algorithms, True, False),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}
ITS_OWN = ("perturb", "train_step", "search")  # under autocast the network is rounded, as asked


@pytest.mark.parametrize("door", DOORS)
def test_what_a_caller_set_for_everything_changes_no_number(door):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        expected = DOORS[door]()
        for name, state in STATES.items():
            if name == "autocast" and door.startswith(ITS_OWN):
                continue
            torch.manual_seed(1)
            with state():
                found = DOORS[door]()
            assert len(found) == len(expected), name
            for one, other in zip(found, expected, strict=True):
                assert getattr(one, "dtype", None) == getattr(other, "dtype", None), name
                same = one == other
                if isinstance(one, torch.Tensor):
                    same = torch.equal(one.nan_to_num(), other.nan_to_num())
                assert same, name


def test_the_network_keeps_its_callers_defaults(monkeypatch):
    seen = []

    class Asks(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = NET

        def forward(self, x):
            seen.append((torch.get_default_dtype(), torch.get_default_device().type))
            return self.net(x)

    with STATES["torch.float64"](), torch.device("meta"):
        THREATS["pgd"].perturb(Asks(), X, Y)
        assert torch.get_default_dtype() == torch.float64
        assert torch.get_default_device().type == "meta"
    assert set(seen) == {(torch.float64, "meta")}


def test_an_exception_leaves_what_was_set(monkeypatch):
    with STATES["torch.float64"](), torch.no_grad():
        with pytest.raises(moat.MoatError):
            THREATS["pgd"].perturb(NET, 255 * X, Y)
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()


def test_a_study_is_the_same_study(recipe, tmp_path):
    path = recipe("examples = 40", "examples = 8")
    weights = []
    for name in ("no_grad", "torch.float64", "default device"):
        keys = {"only": ["pgd-at"], "results": tmp_path / name, "device": "cpu"}
        with STATES[name]():
            done = moat.train(path, **keys)
            assert not done.failed
            (run,) = done.done
            assert next(moat.load(run).parameters()).dtype == torch.float32
        weights.append([(run / n).read_bytes() for n in ("model.safetensors", "evaluation.npz")])
    plain = moat.train(path, only=["pgd-at"], results=tmp_path / "plain", device="cpu").done[0]
    weights.append([(plain / n).read_bytes() for n in ("model.safetensors", "evaluation.npz")])
    assert all(one == weights[0] for one in weights)


@pytest.mark.parametrize("name", ["pgd", "rt-grid", "autoattack"])
def test_within_torch_func_nothing_is_searched_and_the_mend_is_said(name):
    def one(image, label):
        return THREATS[name].perturb(NET, image[None], label[None])[0]

    with pytest.raises(
        moat.MoatError, match=r"are within torch.func \(vmap, grad, jvp\)"
    ) as refused:
        torch.func.vmap(one, randomness="same")(X, Y)
    assert refused.value.hint.startswith("Call it outside")


def test_a_network_of_functional_calls_is_searched_as_itself():
    class Called(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = NET
            self.own = {name: value.detach().clone() for name, value in NET.named_parameters()}

        def forward(self, x):
            return torch.func.functional_call(self.net, self.own, (x,))

    expected = THREATS["pgd"].perturb(NET, X, Y, generator=seeded())
    assert torch.equal(THREATS["pgd"].perturb(Called(), X, Y, generator=seeded()), expected)
