"""GradNorm: the update written out once more, and what it is for."""

import pytest
import torch

from moat.objectives import LossMatrix
from moat.scalarizers import GradNorm

NAMES = ("natural", "pgd", "rt")


def losses_of(*means: float) -> LossMatrix:
    return LossMatrix(torch.tensor(means, dtype=torch.float64)[:, None], NAMES)


def test_a_step_follows_the_gradient_of_the_published_loss():
    rule = GradNorm(lr=0.025, restoring=1.5)
    weights = torch.ones(3, dtype=torch.float64, requires_grad=True)
    adam, generator = torch.optim.Adam([weights], lr=0.025), torch.Generator().manual_seed(0)
    first = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    for step in range(20):
        lengths = torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64)
        means = first * torch.rand(3, generator=generator, dtype=torch.float64) if step else first
        found = rule.weights(torch.diag(lengths**2), losses_of(*means.tolist()))
        assert torch.allclose(found, weights.detach() / 3)
        rule.update(losses_of(*means.tolist()))
        rates = means / first / (means / first).mean()
        target = ((weights * lengths).mean() * rates**1.5).detach()
        (weights.grad,) = torch.autograd.grad((weights * lengths - target).abs().sum(), weights)
        adam.step()
        with torch.no_grad():
            weights.copy_(weights / weights.mean())


def test_without_a_restoring_force_the_weighted_gradients_become_equally_long():
    rule, lengths = GradNorm(lr=0.01, restoring=0.0), torch.tensor([1.0, 0.5, 0.25])
    for _ in range(300):
        weights = rule.weights(torch.diag(lengths**2), losses_of(1.0, 1.0, 1.0))
        rule.update(losses_of(1.0, 1.0, 1.0))
    assert (weights * lengths).tolist() == pytest.approx([1 / 7] * 3, rel=0.1)
