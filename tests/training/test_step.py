"""The promise of the design's cost table, by counting; and that the step is Algorithm 1."""

import copy

import pytest
import torch
from torch import nn

from moat.scalarizers import MGDA, Average, Max, Natural, TwoMoment
from moat.training import SGD, StepSettings, train_step

SEARCH = 3 + 2 + 1  # iterations of the three threats


def optimizer_for(model, lr=0.1):
    return SGD(lr=lr).build(model.parameters())


@pytest.mark.parametrize("pass_size", [5, 12, 1000])
@pytest.mark.parametrize(
    ("scalarizer", "searched", "forwards", "backwards"),
    [
        (Natural(), 0, 1, 1),
        (Average(), SEARCH, 3, 3),
        (Average(include_natural=True), SEARCH, 4, 4),
        (Max(), SEARCH, 4, 1),
        (TwoMoment(rho=0.5), SEARCH, 4, 4),
        (MGDA(), SEARCH, 4, 4),
    ],
    ids=lambda value: repr(value) if not isinstance(value, int) else str(value),
)
def test_a_step_costs_an_example_the_passes_of_the_cost_table_and_no_more(
    network, threats, images, counter, scalarizer, searched, forwards, backwards, pass_size
):
    x, y = images
    counted = counter(network)
    train_step(network, optimizer_for(network), threats, scalarizer, x, y, StepSettings(pass_size))
    assert counted.forwards == (searched + forwards) * len(x)
    assert counted.backwards == (searched + backwards) * len(x)


def test_a_search_computes_no_gradient_of_the_weights(network, threats, images, counter):
    x, y = images
    counted = counter(network)
    train_step(network, optimizer_for(network), threats, Max(), x, y, StepSettings(1000))
    assert counted.weight_backwards == 1


@pytest.mark.parametrize("scalarizer", [Average(), Max(), TwoMoment(rho=0.5), MGDA()], ids=repr)
def test_without_batch_norm_the_pass_size_does_not_change_the_step(threats, images, scalarizer):
    x, y = images
    states = []
    for pass_size in (1, 5, 1000):
        model = nn.Sequential(*_fresh_layers()).double()
        own = copy.deepcopy(scalarizer)
        train_step(model, optimizer_for(model), threats, own, x, y, StepSettings(pass_size))
        states.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
    torch.testing.assert_close(states[0], states[1], rtol=0, atol=1e-12)
    torch.testing.assert_close(states[0], states[2], rtol=0, atol=1e-12)


def _fresh_layers():
    torch.manual_seed(0)
    return [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)]


def test_the_step_of_a_lagged_scalarizer_is_line_6_of_algorithm_1(network, threats, images):
    x, y = images
    weights = Average(include_natural=True).weights(("natural", *threats))
    adversarial = [t.perturb(network, x, y) for t in threats.values()]
    before = [p.detach().clone() for p in network.parameters()]
    loss = sum(
        w * nn.functional.cross_entropy(network(images), y)
        for w, images in zip(weights, [x, *adversarial], strict=True)
    )
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    train_step(
        network,
        optimizer_for(network),
        threats,
        Average(include_natural=True),
        x,
        y,
        StepSettings(1000),
    )
    for parameter, old, gradient in zip(network.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(parameter.detach(), old - 0.1 * gradient)


def test_the_parameters_move_with_the_weights_of_the_last_step(network, threats, images):
    x, y = images
    scalarizer = TwoMoment(rho=0.3)
    optimizer = optimizer_for(network)
    first = train_step(network, optimizer, threats, scalarizer, x, y, StepSettings(1000))
    assert first.weights.tolist() == [0.25] * 4
    chosen = scalarizer.weights(first.losses.names)
    second = train_step(network, optimizer, threats, scalarizer, x, y, StepSettings(1000))
    torch.testing.assert_close(second.weights, chosen)


def test_max_trains_each_example_on_its_worst_threat_and_measures_in_the_mode_of_the_search(
    network, threats, images, counter
):
    x, y = images
    counted = counter(network)
    network.train()
    descent = train_step(network, optimizer_for(network), threats, Max(), x, y, StepSettings(1000))
    worst = descent.losses.values[1:].argmax(0) + 1
    assert torch.equal(descent.weights.argmax(0), worst)
    assert torch.equal(descent.weights.sum(0), torch.ones(len(x), dtype=torch.float64))
    assert [size for training, size in counted.calls if training] == [len(x)]


def test_what_was_not_planned_is_not_a_number(network, threats, images):
    x, y = images
    descent = train_step(
        network, optimizer_for(network), threats, Natural(), x, y, StepSettings(1000)
    )
    assert torch.isfinite(descent.losses.values[0]).all()
    assert torch.isnan(descent.losses.values[1:]).all()


def test_mgda_moves_along_the_combination_of_the_very_gradients_it_weighed(
    network, threats, images
):
    x, y = images
    adversarial = [t.perturb(network, x, y) for t in threats.values()]
    parameters = list(network.parameters())
    gradients = torch.stack(
        [
            torch.cat(
                [
                    g.reshape(-1)
                    for g in torch.autograd.grad(
                        nn.functional.cross_entropy(network(images), y), parameters
                    )
                ]
            )
            for images in [x, *adversarial]
        ]
    )
    before = torch.cat([p.detach().reshape(-1).clone() for p in parameters])
    descent = train_step(network, optimizer_for(network), threats, MGDA(), x, y, StepSettings(7))
    after = torch.cat([p.detach().reshape(-1) for p in parameters])
    torch.testing.assert_close(before - after, 0.1 * descent.weights.to(gradients) @ gradients)
