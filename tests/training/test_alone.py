"""A step that somebody takes alone tells of what is not finite, before anything moves."""

import copy

import pytest
import torch
from torch import nn

from moat.errors import TrainingError
from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.threats import PGD, trusted
from moat.training import StepSettings, train_step

THREATS = {"pgd": PGD(epsilon=0.1, step_size=0.05, steps=1)}
EVERY = [Natural(), Average(), Max(), TwoMoment(rho=0.5), MGDA()]
every_scalarizer = pytest.mark.parametrize("scalarizer", EVERY, ids=repr)


class Broken(nn.Module):
    """Answers with a value from its second forward in train mode on, if it is given one."""

    def __init__(self, value=None):
        super().__init__()
        self.net, self.value = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), value

    def forward(self, x):
        z = self.net(x)
        return z if self.value is None else z + self.value * z.detach()[:, :1].sign().abs()


class Kink(Broken):
    """Finite logits with an infinite slope to its bias."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return self.net(x) + self.bias.abs().sqrt()


@pytest.fixture
def x():
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def y():
    return torch.tensor([0, 1, 2, 3, 2, 1])


def step(network, scalarizer, x, y):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    found = train_step(network, optimizer, THREATS, scalarizer, x, y, StepSettings(6))
    return found, optimizer


def state_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


@every_scalarizer
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_loss_that_is_not_finite_is_told_and_nothing_moves(scalarizer, value, x, y):
    network, own = Broken(value), copy.deepcopy(scalarizer)
    before, known = state_of(network), own.state_dict()
    with pytest.raises(TrainingError) as refused:
        step(network, own, x, y)
    assert "is no longer finite." in refused.value.message
    assert isinstance(refused.value, ValueError)
    assert refused.value.hint.startswith("The parameters did not move.")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert str(own.state_dict()) == str(known)


@every_scalarizer
def test_a_gradient_that_is_not_finite_is_told_and_nothing_moves(scalarizer, x, y):
    network = Kink()
    before = state_of(network)
    with pytest.raises(TrainingError, match=r"the gradient of the parameter bias is not finite\."):
        step(network, copy.deepcopy(scalarizer), x, y)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_trusted_step_is_not_looked_at_and_its_faults_tell(x, y):
    with trusted():
        found, _ = step(Broken(torch.nan), Average(), x, y)
    assert found.faults()[0].tolist() == [False, True]
    sound, _ = step(Broken(), Average(), x, y)
    assert not sound.faults().any()


def test_the_batch_after_one_that_was_refused_is_trained_on(x, y):
    network = Broken(torch.nan)
    with pytest.raises(TrainingError):
        step(network, Average(), x, y)
    network.value = None
    before = state_of(network)
    step(network, Average(), x, y)
    assert not torch.equal(before["net.1.weight"], network.net[1].weight)
    assert network.net[1].weight.isfinite().all()
