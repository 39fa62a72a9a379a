"""Dynamic weight average: the ratio of two averages."""

import pytest
import torch

from moat.objectives import LossMatrix
from moat.scalarizers import DWA

NAMES = ("natural", "pgd", "rt")


def losses_of(*means: float) -> LossMatrix:
    return LossMatrix(torch.tensor(means, dtype=torch.float64)[:, None], NAMES)


def test_the_weights_are_the_softmax_of_the_ratios_of_two_window_averages():
    rule, generator = DWA(window=3, temperature=0.7), torch.Generator().manual_seed(0)
    history = torch.rand(9, 3, generator=generator, dtype=torch.float64) + 0.1
    for step, row in enumerate(history, 1):
        rule.update(losses_of(*row.tolist()))
        full = step // 3
        if full < 2:
            expected = torch.full((3,), 1 / 3, dtype=torch.float64)
        else:
            averages = history[: 3 * full].view(full, 3, 3).mean(1)
            expected = torch.softmax(averages[-1] / averages[-2] / 0.7, 0)
        assert torch.allclose(rule.weights(NAMES), expected)


def test_a_loss_that_stays_where_it_is_weighs_most():
    rule = DWA(window=1)
    rule.update(losses_of(1.0, 1.0, 1.0))
    rule.update(losses_of(0.2, 1.0, 0.5))
    assert rule.weights(NAMES).argsort().tolist() == [0, 2, 1]


def test_losses_of_0_keep_the_weights_finite():
    rule = DWA(window=1, temperature=1e-3)
    for means in ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1e30, 1.0, 0.0)):
        rule.update(losses_of(*means))
        assert rule.weights(NAMES).sum().item() == pytest.approx(1)
