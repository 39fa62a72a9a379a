"""Nothing in a step asks a GPU for a value: counted on the CPU, and run on a GPU of pretence."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from moat.geometry import enumeration, grids
from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.testing import ASKING, Counted
from moat.threats import PGD, RT, Flow, Integrated, StAdv, joint_search, trusted
from moat.training import SGD, train_step

RULES = [
    Natural(),
    Average(),
    Average(include_natural=True),
    Max(),
    TwoMoment(rho=0.5),
    TwoMoment(r=0.5),
    MGDA(),
    MGDA(normalize="loss+"),
]
STEPS = {"steps": 2, "start": "noise"}
THREATS = {
    "pgd": PGD(epsilon=0.2, step_size=0.05, **STEPS),
    "pgd-l2": PGD(epsilon=0.2, step_size=0.05, norm="l2", **STEPS),
    "pgd-l1": PGD(epsilon=2.0, step_size=0.5, norm="l1", **STEPS),
    "pgd-kl": PGD(epsilon=0.2, step_size=0.05, loss="kl", **STEPS),
    "pgd-apgd": PGD(epsilon=0.2, search="apgd", loss="targeted-dlr", **STEPS),
    "flow": Flow(epsilon=0.3, step_size=0.05, **STEPS),
    "rt": RT(epsilon=0.3, step_size=0.05, steps=2, start="uniform"),
    "integrated": Integrated(
        flow_epsilon=0.3, flow_step_size=0.05, rt_epsilon=0.3, rt_step_size=0.05, **STEPS
    ),
    "stadv": StAdv(step_size=0.02, steps=2),
}
DEVICE = "lazy"
"""Stands for a GPU: without a driver autograd does not run on a pretended "cuda"."""


def network(device="cpu"):
    torch.manual_seed(0)
    with torch.device(device):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(144, 5)
        )


def batch(device="cpu"):
    return torch.rand(6, 1, 8, 8, device=device), torch.arange(6, device=device) % 5


def step(model, threats, rule, x, y):
    optimizer = SGD(lr=0.1, momentum=0.9).build(model.parameters())
    generator = torch.Generator().manual_seed(1)
    with trusted():  # as in the loop, which looks at its data set once
        descent = train_step(
            model, optimizer, threats, replace(rule), x, y, pass_size=100, generator=generator
        )
    return descent.faults()


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_step_of_a_rule_asks_nothing(rule):
    with Counted() as questions:
        step(network(), {label: THREATS[label] for label in ("pgd", "flow", "rt")}, rule, *batch())
    assert questions.asked == []


@pytest.mark.parametrize("label", THREATS)
def test_the_search_of_a_threat_asks_nothing(label):
    with Counted() as questions:
        joint_search(network(), [THREATS[label]], *batch(), pass_size=100)
    assert questions.asked == []


def test_the_counter_sees_the_questions_of_a_network():
    plain = network()

    class Peeking(nn.Module):
        def forward(self, x):
            return plain(x) if x.sum() > 0 else plain(-x)

    with Counted() as questions:
        joint_search(Peeking(), [THREATS["pgd"]], *batch(), pass_size=100)
    assert set(questions.asked) & ASKING


# On a GPU of pretence: every tensor has a shape and a device, and no values.


@pytest.fixture
def pretence(monkeypatch):
    """Tensors without values on a pretended GPU; what is cached by device does not outlive it."""

    def real_plan(rule_class):
        plan = rule_class.plan

        def planned(self, *given):
            with unset_fake_temporarily():  # a plan is host data
                return plan(self, *given)

        monkeypatch.setattr(rule_class, "plan", planned)

    for rule in {type(rule) for rule in RULES}:
        real_plan(rule)
    cached = (grids._points, enumeration._supports)
    for function in cached:
        function.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_step_of_a_rule_runs_on_a_gpu_of_pretence(pretence, rule):
    model = network(DEVICE)
    threats = {label: THREATS[label] for label in ("pgd", "flow", "rt")}
    faults = step(model, threats, rule, *batch(DEVICE))
    assert faults.device.type == DEVICE
    assert faults.shape == (3, 4)


@pytest.mark.parametrize("label", THREATS)
def test_the_search_of_a_threat_runs_on_a_gpu_of_pretence(pretence, label):
    x, y = batch(DEVICE)
    generator = torch.Generator().manual_seed(1)
    (trace,) = joint_search(
        network(DEVICE), [THREATS[label]], x, y, generator=generator, pass_size=100
    )
    assert isinstance(trace.images, Tensor)
    assert trace.images.device.type == DEVICE
    assert trace.images.shape == x.shape


def test_a_tensor_that_stays_on_the_host_is_noticed_on_a_gpu_of_pretence(pretence):
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network(DEVICE)

        def forward(self, x):
            return self.network(x + torch.zeros(8))

    with pytest.raises(RuntimeError, match="device"):
        joint_search(Shifted(), [THREATS["pgd"]], *batch(DEVICE), pass_size=100)
