"""A step of a conditioned network: each part of a batch at its own preference."""

import copy

import pytest
import torch
from torch import nn

from moat.errors import ModelError
from moat.models import FiLM, TinyCNN
from moat.scalarizers import MGDA, Average, RandomPreference, Weighted
from moat.threats import PGD, Threat
from moat.training import Step, StepSettings
from moat.training.step import step_gradients, train_step

NAMES = ("natural", "pgd", "shift")


class Shift(Threat):
    """Adds a number to every pixel."""

    def perturb(self, model, x, y, *, generator=None):
        return x + 0.1


THREATS = {"pgd": PGD(epsilon=0.1, step_size=0.05, steps=2), "shift": Shift()}


def network(norm=False):
    torch.manual_seed(0)
    plain = TinyCNN(width=2).build((1, 8, 8), classes=10)
    if norm:
        plain.insert(1, nn.BatchNorm2d(2))
    conditioned = FiLM(plain, NAMES).double()
    nn.init.normal_(conditioned.encoder[-1].weight, std=0.3)
    return conditioned


def batch(count):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 1, 8, 8, generator=generator).double(), torch.arange(count) % 10


def gradient(model, rule, x, y, seed=2, **settings):
    model.zero_grad()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    settings = StepSettings(7, torch.Generator().manual_seed(seed), **settings)
    descent = step_gradients(model, optimizer, THREATS, rule, x, y, settings)
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()]), descent


def test_a_network_with_its_objectives_in_another_order_computes_at_the_same_preference():
    x, y = batch(6)
    model = network()
    turned = copy.deepcopy(model)
    order = [2, 0, 1]
    turned.objectives = tuple(NAMES[place] for place in order)
    with torch.no_grad():
        first = turned.encoder[0].weight
        first.copy_(first[:, order].clone())
    shared = slice(0, sum(p.numel() for p in model.network.parameters()))
    found, _ = gradient(model, RandomPreference(draw="dirichlet"), x, y)
    other, _ = gradient(turned, RandomPreference(draw="dirichlet"), x, y)
    torch.testing.assert_close(other[shared], found[shared])


def test_a_network_of_other_objectives_is_refused():
    x, y = batch(6)
    model = network()
    model.objectives = ("natural", "a", "b")
    with pytest.raises(ModelError, match="conditioned on natural, a, b, and the step has the obj"):
        gradient(model, RandomPreference(), x, y)


@pytest.mark.parametrize(("count", "parts"), [(12, 1), (12, 3), (11, 4), (3, 4), (1, 4)])
def test_the_gradient_is_that_of_each_part_at_its_preference(count, parts):
    model, (x, y) = network(), batch(count)
    weight = torch.linspace(0.5, 1.5, count).double()
    found, descent = gradient(model, RandomPreference(parts=parts), x, y, weight=weight)
    rule = RandomPreference(parts=parts)
    rule.plan(NAMES, 1, torch.Generator().manual_seed(2))
    preferences = [rule.preference]
    while rule._waiting:
        rule.plan(NAMES, 1)
        preferences.append(rule.preference)
    cuts = min(parts, max(count // 2, 1))
    ends = [count * number // cuts for number in range(cuts + 1)]
    expected = torch.zeros_like(found)
    for preference, start, stop in zip(preferences, ends, ends[1:], strict=False):
        model.prefer(preference)
        fixed = Weighted(preference=dict(zip(NAMES, preference.tolist(), strict=True)))
        rows = slice(start, stop)
        own, _ = gradient(model, fixed, x[rows], y[rows], weight=weight[rows])
        expected += own * (stop - start) / count
    assert torch.allclose(found, expected)
    assert descent.losses.values.shape == (3, count)
    assert descent.losses.values.isfinite().all()
    assert descent.searched == 2 * count
    assert descent.mean_weights().sum().item() == pytest.approx(1)


def test_a_step_without_weight_on_the_threats_searches_none():
    model, (x, y) = network(), batch(8)
    natural = RandomPreference(draw="levels", levels=(0,))
    _, descent = gradient(model, natural, x, y)
    assert descent.searched == 0
    _, descent = gradient(model, RandomPreference(draw="levels", levels=(0, 1), parts=2), x, y)
    assert descent.searched == 2 * 4  # half of the batch has the weight 0


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("rule", ["average", "sampled"])
def test_steps_repeat_and_move_network_and_encoder(rule, norm):
    states = []
    for _ in range(2):
        model, (x, y) = network(norm), batch(9)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        generator = torch.Generator().manual_seed(3)
        for _ in range(2):
            settings = StepSettings(generator=generator)
            train_step(model, optimizer, THREATS, RandomPreference(rule=rule), x, y, settings)
        states.append(copy.deepcopy(model.state_dict()))
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    before = network(norm).state_dict()
    moved = [name for name in before if not torch.equal(before[name], states[0][name])]
    assert {"network.0.weight", "encoder.0.weight", "encoder.2.bias"} <= set(moved)


@pytest.mark.parametrize("rule", [MGDA(), Average(), RandomPreference(parts=2)], ids=repr)
def test_a_loop_of_ones_own_trains_it_under_any_rule(rule):
    model, (x, y) = network(), batch(8)
    model.prefer({"natural": 0.5, "pgd": 0.5})
    step = Step(model, torch.optim.SGD(model.parameters(), lr=0.1), THREATS, rule)
    before = copy.deepcopy(model.encoder.state_dict())
    assert step(x, y).losses.values.shape == (3, 8)
    assert any(not torch.equal(before[n], v) for n, v in model.encoder.state_dict().items())
