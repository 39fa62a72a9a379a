"""FAMO against the update of its published code, written with torch's own Adam."""

import torch

from moat.objectives import LossMatrix
from moat.scalarizers import FAMO

NAMES = ("natural", "pgd", "rt")


def losses_of(row: torch.Tensor) -> LossMatrix:
    return LossMatrix(row[:, None], NAMES)


def test_logits_and_weights_are_those_of_the_published_update():
    rule = FAMO(lr=0.025, decay=0.01)
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([logits], lr=0.025, weight_decay=0.01)
    generator, last = torch.Generator().manual_seed(0), None
    for _ in range(30):
        row = torch.rand(3, generator=generator, dtype=torch.float64) + 0.01
        shares = torch.softmax(logits, 0) / (row + 1e-8)
        expected = (shares / shares.sum()).detach()
        assert torch.allclose(rule.weights(losses_of(row)), expected, rtol=1e-6)
        rule.update(losses_of(row))
        if last is not None:
            fall = (last + 1e-8).log() - (row + 1e-8).log()
            logits.grad = torch.autograd.grad(torch.softmax(logits, 0), logits, fall)[0]
            adam.step()
        last = row


def test_the_loss_that_falls_most_slowly_gains_weight():
    rule = FAMO(lr=0.1)
    for step in range(20):
        rule.update(losses_of(torch.tensor([0.5**step, 0.9**step, 1.0])))
    shares = rule.weights(losses_of(torch.ones(3)))
    assert shares.argsort().tolist() == [0, 1, 2]
