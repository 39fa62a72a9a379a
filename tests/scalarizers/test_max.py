"""Max AT: each example its own worst threat."""

import torch

from moat.objectives import LossMatrix
from moat.scalarizers import Max


def test_each_example_trains_against_the_threat_that_hurts_it_most(names):
    values = torch.tensor([[9.0, 9, 9], [1, 2, 3], [3, 1, 2], [2, 3, 1]])
    weights = Max().weights(LossMatrix(values, names))
    assert weights.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_the_weighted_losses_sum_to_the_sum_of_the_maxima(names, losses):
    weights = Max().weights(losses)
    assert torch.equal((weights * losses.values).sum(0), losses.values[1:].amax(0))
    assert torch.equal(weights.sum(0), torch.ones(5))


def test_it_is_not_the_threat_that_is_worst_on_average(names):
    values = torch.tensor([[0.0, 0], [5, 0], [1, 1], [0, 0]])
    worst_on_average = values.mean(1).argmax()
    weights = Max().weights(LossMatrix(values, names))
    assert worst_on_average == 1
    assert weights[:, 1].argmax() == 2


def test_the_natural_loss_is_neither_measured_nor_descended(names, losses):
    assert Max().plan(names, 5).tolist() == [False, True, True, True]
    unmeasured = losses.values.clone()
    unmeasured[0] = torch.nan
    weights = Max().weights(LossMatrix(unmeasured, names, measured=Max().plan(names, 5)))
    assert torch.equal(weights, Max().weights(losses))
    assert not weights[0].any()


def test_among_equal_losses_the_first_threat_wins(names):
    assert Max().weights(LossMatrix(torch.ones(4, 1), names)).T.tolist() == [[0, 1, 0, 0]]
