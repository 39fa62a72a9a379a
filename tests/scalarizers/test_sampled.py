"""One drawn threat in place of all: what is searched, and that its gradient is right on average."""

import copy

import pytest
import torch
from torch import nn

from moat.errors import DefinitionError, FieldError, UnknownNameError
from moat.objectives import LossMatrix
from moat.scalarizers import (
    Average,
    LaggedScalarizer,
    Natural,
    RobustError,
    Sampled,
    TwoMoment,
)
from moat.threats import PGD, Threat
from moat.training import SGD, StepSettings
from moat.training.step import step_gradients

DRAWS = 120


class Fixed(LaggedScalarizer):
    """Weights of the natural loss and of three threats; one of them never searched."""

    name = "fixed"

    def __repr__(self):
        return "Fixed()"

    def plan(self, names, batch, generator=None):
        return torch.tensor([True, True, True, False])

    def weights(self, names):
        return torch.tensor([0.3, 0.6, -0.2, 0.0], dtype=torch.float64)


class Shift(Threat):
    """Adds a number to every pixel, so that no search takes time."""

    def __init__(self, by):
        self.by = by

    def perturb(self, model, x, y, *, generator=None):
        return x + self.by


THREATS = {"a": Shift(by=0.2), "b": Shift(by=-0.4), "c": Shift(by=0.7)}


def gradient(rule, x, y, generator):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    optimizer = SGD(lr=0.1).build(model.parameters())
    settings = StepSettings(100, generator)
    descent = step_gradients(model, optimizer, THREATS, rule, x, y, settings)
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()]), descent


def batch(count=5):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(count, 1, 2, 2, generator=generator, dtype=torch.float64)
    return x, torch.arange(count) % 3


@pytest.mark.parametrize("each", ["step", "example"])
@pytest.mark.parametrize("rule", [Average(), Fixed()], ids=repr)
def test_the_mean_gradient_over_many_draws_is_that_of_the_weighted_sum(rule, each):
    (x, y), generator = batch(), torch.Generator().manual_seed(2)
    expected, _ = gradient(copy.deepcopy(rule), x, y, generator)
    sampled = Sampled(each=each, rule=rule)
    found = torch.stack([gradient(sampled, x, y, generator)[0] for _ in range(DRAWS)])
    error = found.std(0) / DRAWS**0.5
    assert ((found.mean(0) - expected).abs() < 4.5 * error + 1e-12).all()
    assert (found.std(0) > 0).any()  # it does draw


@pytest.mark.parametrize("each", ["step", "example"])
def test_each_example_is_searched_once_by_its_own_threat(each):
    (x, y), generator = batch(9), torch.Generator().manual_seed(3)
    seen = set()
    for _ in range(12):
        _, descent = gradient(Sampled(each=each), x, y, generator)
        measured = descent.losses.values.isfinite()
        assert measured.sum(0).tolist() == [1] * 9
        assert descent.searched == 9
        assert descent.weights.sum().item() == pytest.approx(1)
        seen.add(tuple(measured.flatten().tolist()))
    assert len(seen) > 1


def test_the_natural_loss_keeps_its_weight_and_what_has_none_is_never_drawn():
    (x, y), generator = batch(), torch.Generator().manual_seed(4)
    for _ in range(30):
        _, descent = gradient(Sampled(rule=Fixed()), x, y, generator)
        natural, *threats = descent.weights.tolist()
        assert natural == pytest.approx(0.3)
        assert sorted(map(abs, threats)) == pytest.approx([0, 0, 0.8])
        assert threats[2] == 0


def test_equal_generators_draw_equally_and_the_plan_alone_draws():
    names, plans = ("natural", "a", "b", "c"), []
    for _ in range(2):
        rule, generator = Sampled(each="example"), torch.Generator().manual_seed(5)
        plans.append([rule.plan(names, 8, generator) for _ in range(3)])
        before = rule.weights(names)
        assert torch.equal(before, rule.weights(names))
    assert all(map(torch.equal, *plans))
    assert not torch.equal(plans[0][0], plans[0][1])


@pytest.mark.parametrize("each", ["step", "example"])
def test_the_expected_plan_is_the_mean_of_many(each):
    names, rule = ("natural", "a", "b", "c"), Sampled(each=each, rule=Fixed())
    generator = torch.Generator().manual_seed(6)
    plans = [rule.plan(names, 4, generator).double() for _ in range(2000)]
    shares = torch.stack([plan if plan.ndim == 1 else plan.mean(1) for plan in plans]).mean(0)
    assert rule.expected_plan(names).tolist() == [1, 0.75, 0.25, 0]
    assert shares.tolist() == pytest.approx([1, 0.75, 0.25, 0], abs=0.04)


def step(rule, names, generator, means, correct=0.5):
    """Take one step of made-up training; return the plan."""
    plan = rule.plan(names, 1, generator)
    values = torch.tensor(means, dtype=torch.float64)[:, None].masked_fill(
        ~plan[:, None], torch.nan
    )
    kept = torch.full_like(values, correct)
    rule.update(LossMatrix(values, names, kept, plan))
    return plan


def test_the_rule_learns_from_the_last_loss_of_each_once_all_were_measured():
    names, generator = ("natural", "a", "b"), torch.Generator().manual_seed(7)
    rule = Sampled(rule=TwoMoment(rho=0.5, window=1))
    measured, means, now = set(), [0.1, 0.2, 0.3], {}
    for number in range(12):
        means = [mean + 0.1 * number for mean in (1.0, 2.0, 3.0)]
        plan = step(rule, names, generator, means)
        for name, taken, mean in zip(names, plan.tolist(), means, strict=True):
            if taken:
                measured.add(name)
                now[name] = mean
        if measured == set(names):
            oracle = TwoMoment(rho=0.5, window=1)
            last = torch.tensor([now[name] for name in names], dtype=torch.float64)
            oracle.update(LossMatrix(last[:, None], names))
            assert torch.equal(rule._rule.weights(names), oracle.weights(names))
        else:
            assert rule.log() == {}
    assert measured == set(names)


def test_a_threat_that_fells_more_is_drawn_more_often():
    names, generator = ("natural", "a", "b"), torch.Generator().manual_seed(8)
    rule, drawn = Sampled(rule="robust-error"), []
    for _ in range(300):
        plan = rule.plan(names, 4, generator)
        correct = torch.tensor([[1.0], [1.0], [0.5]]).expand(3, 4).bool()
        correct = torch.stack([correct[0], torch.tensor([True, True, True, False]), ~correct[0]])
        values = torch.ones(3, 4).masked_fill(~plan[:, None], torch.nan)
        rule.update(LossMatrix(values, names, correct, plan))
        drawn.append(plan[2].item())
    assert sum(drawn[50:]) / 250 == pytest.approx(0.8, abs=0.08)  # errors of 1/4 and of 1


def test_without_threats_of_a_weight_the_natural_loss_is_all():
    rule = Sampled(rule=Natural())
    assert rule.plan(("natural", "a"), 3).tolist() == [True, False]
    assert rule.weights(("natural", "a")).tolist() == [1, 0]


def test_a_rule_is_a_name_a_table_or_an_object_and_shared_by_none():
    given = (None, "average", {"type": "average"}, Average())
    made = [Sampled() if rule is None else Sampled(rule=rule) for rule in given]
    assert len(set(map(repr, made))) == 1
    mine = TwoMoment(rho=0.5)
    one, other = Sampled(rule=mine), Sampled(rule=mine)
    assert one._rule is not other._rule is not mine


@pytest.mark.parametrize(
    ("rule", "error", "text"),
    [
        ("max", FieldError, "'max' has weights only after all losses were measured"),
        ("mgda", FieldError, "'mgda' has weights only after"),
        ("sampled", FieldError, "'sampled' draws itself"),
        ({"rho": 0.5}, FieldError, "the table of a scalarizer needs its type"),
        ({"type": "two-moment"}, FieldError, "exactly one of r and rho"),
        ({"type": "average", "natural": True}, FieldError, "no field 'natural'"),
        ("two-momnt", UnknownNameError, "Did you mean 'two-moment'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_mend(rule, error, text):
    with pytest.raises(error, match=text):
        Sampled(rule=rule)


def test_fixed_weights_are_drawn_by_and_fit_the_objectives():
    rule = Sampled(rule={"type": "weighted", "preference": {"a": 1.0, "b": 3.0}})
    names, generator = ("natural", "a", "b"), torch.Generator().manual_seed(9)
    drawn = [rule.plan(names, 1, generator)[2].item() for _ in range(400)]
    assert sum(drawn) / 400 == pytest.approx(0.75, abs=0.06)
    assert rule.weights(names).sum() == 4  # the sum of the preference scales the step
    with pytest.raises(DefinitionError, match="preference has no number for the objective 'c'"):
        rule.require_objectives((*names, "c"))


def test_a_gradient_threat_that_is_not_drawn_is_not_climbed(monkeypatch):
    climbed = []
    own = PGD.climb
    monkeypatch.setattr(
        PGD, "climb", lambda self, x, y, **given: climbed.append(self) or own(self, x, y, **given)
    )
    threats = {
        name: PGD(epsilon=0.1, step_size=size, steps=1)
        for name, size in (("a", 0.01), ("b", 0.02), ("c", 0.03))
    }
    x, y = batch()
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    settings = StepSettings(100, torch.Generator().manual_seed(0))
    step_gradients(model, SGD(lr=0.1).build(model.parameters()), threats, Sampled(), x, y, settings)
    assert len(climbed) == 1


def test_robust_error_is_a_running_mean_at_first_and_fades_later():
    names, rule = ("natural", "a", "b"), RobustError(window=2)
    assert rule.weights(names).tolist() == [0, 0.5, 0.5]
    for share in (0.0, 1.0, 1.0):
        correct = torch.tensor([[1.0], [share], [0.0]])
        rule.update(LossMatrix(torch.ones(3, 1), names, correct))
    # errors: a 1, then 1/2, then 1/4; b 1
    assert rule.weights(names).tolist() == pytest.approx([0, 0.2, 0.8])


def test_robust_error_needs_to_know_which_examples_fell():
    with pytest.raises(ValueError, match="which these losses lack"):
        RobustError().update(LossMatrix(torch.ones(2, 1), ("natural", "a")))


def test_robust_error_is_even_where_nothing_falls():
    names, rule = ("natural", "a", "b"), RobustError()
    rule.update(LossMatrix(torch.ones(3, 2), names, torch.ones(3, 2, dtype=torch.bool)))
    assert rule.weights(names).tolist() == pytest.approx([0, 0.5, 0.5])
