"""Batch norm, planned subsets, and what is refused."""

import copy

import pytest
import torch

from moat.errors import DefinitionError
from moat.scalarizers import (
    FAMO,
    MGDA,
    Average,
    BatchMax,
    LaggedScalarizer,
    LossScalarizer,
    Max,
    Scalarizer,
    SmoothTchebycheff,
    Softmax,
    Tchebycheff,
    TwoMoment,
    Weighted,
)
from moat.training import SGD, StepSettings, train_step
from moat.training.craft import craft


def step(model, threats, scalarizer, images, pass_size=4):
    x, y = images
    optimizer = SGD(lr=0.1).build(model.parameters())
    return train_step(model, optimizer, threats, scalarizer, x, y, StepSettings(pass_size))


@pytest.mark.parametrize(
    ("scalarizer", "forwards"),
    [
        (Average(), [36]),
        (Average(include_natural=True), [12, 36]),
        (MGDA(), [12, 36]),
        (Max(), [12]),
        (BatchMax(), [12]),
        (BatchMax(include_natural=True), [12]),
        (Tchebycheff(), [12]),
        (Softmax(), [36]),
        (FAMO(), [12, 36]),
    ],
    ids=repr,
)
def test_batch_norm_takes_one_forward_for_natural_and_one_for_all_adversarial_images(
    normed_network, threats, images, counter, scalarizer, forwards
):
    counted = counter(normed_network)
    normed_network.train()
    step(normed_network, threats, scalarizer, images)
    assert [size for training, size in counted.calls if training] == forwards


NATURAL_FIRST = {"natural": 100.0, "pgd": 1.0, "flow": 1.0, "rt": 1.0}


@pytest.mark.parametrize(
    "scalarizer",
    [
        *(BatchMax(), BatchMax(include_natural=True), Softmax(), FAMO(), SmoothTchebycheff()),
        *(Tchebycheff(), Tchebycheff(preference=NATURAL_FIRST)),
    ],
    ids=repr,
)
def test_the_step_of_a_rule_of_losses_is_that_of_the_same_weights_fixed(
    network, threats, images, scalarizer
):
    fixed, moved = copy.deepcopy(network), copy.deepcopy(network)
    weights = step(moved, threats, scalarizer, images).weights
    rule = Weighted(preference=dict(zip(("natural", *threats), weights.tolist(), strict=True)))
    step(fixed, threats, rule, images)
    for own, other in zip(moved.parameters(), fixed.parameters(), strict=True):
        assert torch.allclose(own, other, atol=1e-6)


def test_max_never_makes_a_batch_of_one_even_where_one_threat_wins_a_single_example(
    normed_network, threats, images, counter
):
    counted = counter(normed_network)
    normed_network.train()

    class Lopsided(LossScalarizer):
        def plan(self, names, batch, generator=None):
            return torch.arange(len(names)) > 0

        def weights(self, losses):
            weights = torch.zeros_like(losses.values)
            weights[1] = 1.0
            weights[1, 0], weights[2, 0] = 0.0, 1.0
            return weights

    step(normed_network, threats, Lopsided(), images)
    assert [size for training, size in counted.calls if training] == [12]


def test_the_search_leaves_the_running_statistics_of_batch_norm_alone(
    normed_network, threats, images
):
    x, y = images
    before = {name: value.clone() for name, value in normed_network.state_dict().items()}
    craft(normed_network.train(), threats, x, y, torch.ones(4, dtype=torch.bool), StepSettings(100))
    for name, value in normed_network.state_dict().items():
        assert torch.equal(value, before[name])


class Checkered(LaggedScalarizer):
    """Plans half of the examples for one threat, the other half for another."""

    def plan(self, names, batch, generator=None):
        mask = torch.zeros(len(names), batch, dtype=torch.bool)
        mask[1, ::2] = mask[2, 1::2] = True
        return mask

    def weights(self, names):
        return torch.tensor([0.0, 0.5, 0.5, 0.0])


def test_a_plan_by_example_pays_for_the_planned_examples_alone(network, threats, images, counter):
    counted = counter(network)
    descent = step(network, threats, Checkered(), images)
    assert counted.backwards == 6 * 3 + 6 * 2 + 12  # pgd 3 steps, flow 2, then the descent
    measured = torch.isfinite(descent.losses.values)
    assert torch.equal(measured, Checkered().plan(descent.losses.names, 12))


def test_planned_subsets_are_searched_as_the_whole_batch_is(network, threats, images):
    x, y = images
    everything = craft(network, threats, x, y, torch.ones(4, dtype=torch.bool), StepSettings(100))
    plan = Checkered().plan(everything.names, len(x))
    part = craft(network, threats, x, y, plan, StepSettings(100))
    torch.testing.assert_close(part.images[1], everything.images[1][::2])
    torch.testing.assert_close(part.images[2], everything.images[2][1::2])
    assert part.lengths() == [0, 6, 6, 0]


def test_a_scalarizer_of_no_kind_is_refused_with_the_three_kinds(network, threats, images):
    class Shapeless(Scalarizer):
        pass

    with pytest.raises(DefinitionError, match="Shapeless is not one of the three kinds") as error:
        step(network, threats, Shapeless(), images)
    assert "LaggedScalarizer, LossScalarizer or GradientScalarizer" in str(error.value)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([0.5, 0.5, 0.0, 0.0], "are not zero for unplanned losses: objective 'natural'"),
        ([0.0, float("nan"), 0.0, 0.0], "are not finite: objective 'pgd'"),
    ],
)
def test_weights_that_no_step_can_be_made_of_are_refused(network, threats, images, weights, told):
    class Careless(LaggedScalarizer):
        def plan(self, names, batch, generator=None):
            return torch.arange(len(names)) > 0

        def weights(self, names):
            return torch.tensor(weights)

    with pytest.raises(DefinitionError, match=told):
        step(network, threats, Careless(), images)


def test_mgda_pays_a_backward_of_all_adversarial_images_for_each_threat_under_batch_norm(
    normed_network, threats, images, counter
):
    # one forward holds them all, so each objective's gradient goes back through all of them
    counted = counter(normed_network)
    normed_network.train()
    step(normed_network, threats, MGDA(), images)
    search = (3 + 2 + 1) * 12
    assert counted.backwards - search == 12 + 3 * 36


@pytest.mark.parametrize("pass_size", [4, 100])
@pytest.mark.parametrize("scalarizer", [Average(), TwoMoment(rho=0.5), MGDA(), Max()], ids=repr)
def test_a_step_says_the_share_of_correct_examples_of_each_objective_it_measured(
    network, threats, images, scalarizer, pass_size
):
    x, y = images
    settings = StepSettings(pass_size)
    optimizer = torch.optim.SGD(network.parameters(), 0.0)
    plan = scalarizer.plan(("natural", *threats), len(x), None)
    losses = train_step(network, optimizer, threats, scalarizer, x, y, settings).losses
    crafted = craft(network, threats, x, y, plan, settings)
    expected = [
        (network(own).argmax(1) == labels).double().mean() if len(own) else torch.nan
        for own, labels in zip(crafted.images, crafted.labels, strict=True)
    ]
    torch.testing.assert_close(
        losses.accuracies().double(), torch.tensor(expected).double(), equal_nan=True
    )
    assert losses.accuracies().isnan().tolist() == losses.means().isnan().tolist()
