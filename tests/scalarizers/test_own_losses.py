"""Weights for losses of any origin: what a training step would choose for the same losses."""

import copy

import jaxtyping
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from moat.errors import DefinitionError
from moat.objectives import LossMatrix
from moat.scalarizers import (
    DWA,
    FAMO,
    IMTLG,
    MGDA,
    Aligned,
    Average,
    BatchMax,
    CAGrad,
    GradNorm,
    LaggedScalarizer,
    LossScalarizer,
    Max,
    Nash,
    Natural,
    SmoothTchebycheff,
    Softmax,
    Tchebycheff,
    TwoMoment,
    UncertaintyWeighting,
    UPGrad,
    weights_for,
)
from moat.threats import PGD, RT
from moat.training import Step

EVERY = [Natural(), Average(), Average(include_natural=True), Max(), TwoMoment(rho=0.5), MGDA()]
EVERY += [MGDA(normalize="loss+"), TwoMoment(r=0.4, window=2), TwoMoment(target="each")]
EVERY += [BatchMax(), Softmax(), Tchebycheff(), SmoothTchebycheff(), FAMO(), DWA(window=1)]
EVERY += [UncertaintyWeighting(lr=0.5), CAGrad(), Nash(), IMTLG(), UPGrad(), Aligned(), GradNorm()]
every_scalarizer = pytest.mark.parametrize("scalarizer", EVERY, ids=repr)
ON_A_PAR = [Average(), Max(), MGDA()]


@pytest.fixture(autouse=True)
def without_checks_of_types():
    """Let a wrong argument through to what refuses it, as in production."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


class Tasks(nn.Module):
    """A trunk that two regressions and a classification share."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 5)
        self.heads = nn.ModuleList([nn.Linear(5, 1), nn.Linear(5, 1), nn.Linear(5, 3)])

    def losses(self, x):
        z = torch.tanh(self.trunk(x))
        one, other, classes = (head(z) for head in self.heads)
        labels = torch.arange(len(x)) % 3
        return {
            "one": (one[:, 0] - x[:, 0]) ** 2,
            "other": 3 * (other[:, 0] + x[:, 1]) ** 2,
            "classes": F.cross_entropy(classes, labels, reduction="none"),
        }


@pytest.fixture
def tasks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Tasks().double()


@pytest.fixture
def x():
    return torch.randn(7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_scalarizer
def test_weights_are_those_of_a_training_step_on_the_same_losses(scalarizer):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 4)).double()
    x = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    y = torch.arange(9) % 4
    threats = {
        "pgd": PGD(epsilon=0.2, step_size=0.05, steps=2),
        "rt": RT(epsilon=0.3, step_size=0.05, steps=1),
    }
    own = copy.deepcopy(scalarizer)
    step = Step(net, torch.optim.SGD(net.parameters(), lr=0.5), threats, copy.deepcopy(scalarizer))
    for _ in range(3):
        images = {"natural": x, **{n: one.perturb(net, x, y) for n, one in threats.items()}}
        losses = {n: F.cross_entropy(net(one), y, reduction="none") for n, one in images.items()}
        chosen = own.weights(losses, net.parameters())
        torch.testing.assert_close(chosen, step(x, y).weights)
    assert repr(own.state_dict().keys()) == repr(step.scalarizer.state_dict().keys())


@every_scalarizer
def test_a_table_a_list_and_a_tensor_give_the_same_weights(scalarizer, tasks, x):
    means = {name: loss.mean() for name, loss in tasks.losses(x).items()}
    shared = list(tasks.trunk.parameters())
    forms = [means, list(means.values()), tuple(means.values()), torch.stack([*means.values()])]
    found = [copy.deepcopy(scalarizer).weights(form, shared) for form in forms]
    found.append(weights_for(copy.deepcopy(scalarizer), means, tasks.trunk))
    assert all(torch.equal(found[0], other) for other in found)
    assert found[0].shape == (3,)
    assert not scalarizer.simplex or found[0].sum().item() == pytest.approx(1)
    assert not found[0].requires_grad


@pytest.mark.parametrize("scalarizer", ON_A_PAR, ids=repr)
def test_losses_without_a_natural_one_are_on_a_par(scalarizer, tasks, x):
    means = {name: loss.mean() for name, loss in tasks.losses(x).items()}
    chosen = copy.deepcopy(scalarizer).weights(means, tasks.trunk)
    turned = dict(reversed(means.items()))
    again = copy.deepcopy(scalarizer).weights(turned, tasks.trunk)
    torch.testing.assert_close(chosen.flip(0), again)


def test_max_takes_the_largest_loss_and_an_example_at_a_time_where_there_are_examples(tasks, x):
    losses = tasks.losses(x)
    means = torch.stack([loss.mean() for loss in losses.values()])
    assert Max().weights(means).argmax() == means.argmax()
    chosen = Max().weights(losses)
    assert chosen.shape == (3, 7)
    assert torch.equal(chosen.argmax(0), torch.stack([*losses.values()]).argmax(0))


def test_mgda_gives_the_shortest_combination_of_gradients(tasks, x):
    losses = [loss.mean() for loss in tasks.losses(x).values()]
    shared = list(tasks.trunk.parameters())
    weights = MGDA().weights(losses, shared)
    rows = [torch.autograd.grad(one, shared, retain_graph=True) for one in losses]
    gradients = torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows])
    direction = weights @ gradients
    assert (gradients @ direction >= direction @ direction - 1e-9).all()
    (weights * torch.stack(losses)).sum().backward()  # the graph is still there
    found = torch.cat([parameter.grad.reshape(-1) for parameter in shared])
    torch.testing.assert_close(found, direction)


def test_two_moments_learn_one_observation_a_call(tasks, x):
    rule, optimizer = TwoMoment(rho=0.5), torch.optim.SGD(tasks.parameters(), lr=0.1)
    for _ in range(3):
        losses = torch.stack([loss.mean() for loss in tasks.losses(x).values()])
        optimizer.zero_grad()
        (rule.weights(losses) * losses).sum().backward()
        optimizer.step()
    assert rule.state_dict()["steps"] == 3
    assert not torch.equal(rule.weights(losses), torch.full((3,), 1 / 3, dtype=torch.float64))


def test_the_natural_loss_is_told_by_its_name_wherever_it_stands():
    losses = {"a": torch.tensor(3.0), "natural": torch.tensor(9.0), "b": torch.tensor(1.0)}
    assert Max().weights(losses).tolist() == [1, 0, 0]
    assert Average().weights(losses).tolist() == [0.5, 0, 0.5]
    assert Natural().weights(losses).tolist() == [0, 1, 0]


class Drawn(LaggedScalarizer):
    """Plans for one threat, drawn."""

    def __init__(self):
        self.planned = None

    def plan(self, names, batch, generator=None):
        number = 1 + torch.randint(len(names) - 1, (), generator=generator)
        self.planned = torch.arange(len(names)) == number
        return self.planned

    def weights(self, names):
        return self.planned.double()


class Worst(LossScalarizer):
    def weights(self, losses):
        return F.one_hot(losses.means().nan_to_num().argmax(), len(losses.names)).double()


def test_a_scalarizer_of_a_plug_in_weighs_them_as_well():
    with torch.random.fork_rng(devices=[]):
        chosen = Drawn().weights([torch.tensor(1.0), torch.tensor(2.0), torch.tensor(3.0)])
    assert sorted(chosen.tolist()) == [0, 0, 1]
    assert Worst().weights([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [0, 1]


def test_what_a_training_step_asks_goes_to_the_scalarizer_itself():
    matrix = LossMatrix(torch.tensor([[1.0], [2.0]]), ("natural", "pgd"))
    assert Average().weights(("natural", "pgd")).tolist() == [0, 1]
    assert Average().weights(names=("natural", "pgd")).tolist() == [0, 1]
    assert Max().weights(matrix).tolist() == [[0], [1]]
    assert Max().weights(losses=matrix).tolist() == [[0], [1]]
    assert MGDA().weights(torch.eye(2), matrix).tolist() == [0.5, 0.5]
    assert MGDA().weights(gramian=torch.eye(2), losses=matrix).tolist() == [0.5, 0.5]


ONE = torch.tensor(1.0)


@pytest.mark.parametrize("scalarizer", [Average(), Max(), TwoMoment(rho=0.5), MGDA()], ids=repr)
@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (ONE, "losses are a table, a list or a tensor of several, not a single number."),
        (None, "losses are a table, a list or a tensor of several, not of type NoneType."),
        ("natural", "losses are a table, a list or a tensor of several, not of type str."),
        ([], "the losses are empty."),
        ({}, "the losses are empty."),
        ([ONE, 2.0], "'loss 2' is of type float, not a loss."),
        ({"a": torch.tensor(3)}, "'a' is torch.int64, not a loss."),
        ([ONE, ONE / 0], "'loss 2' is not finite."),
        ({"a": ONE * float("nan")}, "'a' is not finite."),
        ([ONE, torch.ones(3)], "losses are scalars, or all of one shape (batch,), not 'los"),
        ([torch.ones(2, 2)], "losses are scalars, or all of one shape (batch,), not 'loss 1"),
        ([torch.ones(0)], "losses are scalars, or all of one shape (batch,), not 'loss 1' "),
    ],
)
def test_what_no_weights_can_be_chosen_for_is_refused(scalarizer, losses, message):
    with pytest.raises(DefinitionError) as refused:
        copy.deepcopy(scalarizer).weights(losses, [torch.ones(1, requires_grad=True)])
    assert refused.value.message.startswith(message)
    assert refused.value.hint


@pytest.mark.parametrize("parameters", [None, [], iter(()), [torch.ones(1)], ["a"]])
def test_gradients_need_parameters(parameters, tasks, x):
    losses = [loss.mean() for loss in tasks.losses(x).values()]
    with pytest.raises(DefinitionError, match="needs parameters") as refused:
        MGDA().weights(losses, parameters)
    assert "scalarizer.weights(losses, net.parameters())" in refused.value.hint


def test_every_loss_depends_on_the_parameters(tasks, x):
    losses = {name: loss.mean() for name, loss in tasks.losses(x).items()}
    for broken, parameters in (
        (losses | {"one": losses["one"].detach()}, tasks.trunk),
        (losses, tasks.heads[1]),
    ):
        with pytest.raises(DefinitionError, match="'one' does not depend on the parameters"):
            MGDA().weights(broken, parameters)


def test_other_losses_need_another_scalarizer():
    rule = TwoMoment(rho=0.5)
    for _ in range(2):
        rule.weights(torch.rand(3))
    with pytest.raises(DefinitionError) as refused:
        rule.weights(torch.rand(4))
    assert refused.value.message == "the scalarizer has weighed 3 losses so far, not 4."
    assert refused.value.hint == "Use a new scalarizer for other losses."


class Broken(LaggedScalarizer):
    def weights(self, names):
        return torch.full((len(names),), torch.inf)


def test_weights_that_are_not_finite_are_refused():
    with pytest.raises(DefinitionError, match="the weights of Broken are not finite"):
        Broken().weights([ONE, ONE])


@pytest.mark.parametrize("kind", [lambda one: one, lambda one: [one], lambda one: iter([one])])
def test_gradients_may_be_taken_to_a_single_tensor(kind):
    shared = torch.tensor([1.0, 1.0], requires_grad=True)
    losses = [(shared[0] - 2) ** 2, (shared[1] + 1) ** 2]
    assert MGDA().weights(losses, kind(shared)).tolist() == pytest.approx([0.8, 0.2])


@pytest.mark.parametrize("scalarizer", [TwoMoment(rho=0.5), Average(), Max(), MGDA()], ids=str)
@pytest.mark.parametrize("losses", [(), [], {}])
def test_no_losses_are_refused_by_every_kind(scalarizer, losses):
    with pytest.raises(DefinitionError, match="the losses are empty"):
        scalarizer.weights(losses)
