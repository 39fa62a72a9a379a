"""Random weights: the draws of their distribution, from the plan's generator."""

import pytest
import torch

from moat.scalarizers import Random

NAMES = ("natural", "pgd", "flow", "rt")


def draws(rule: Random, count: int, seed: int = 0) -> torch.Tensor:
    generator, found = torch.Generator().manual_seed(seed), []
    for _ in range(count):
        rule.plan(NAMES, 4, generator)
        found.append(rule.weights(NAMES))
    return torch.stack(found)


def test_uniform_on_the_simplex_they_have_its_mean_and_variance():
    found = draws(Random(), 4000)
    assert found.mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.02)
    assert found.var(0).tolist() == pytest.approx([3 / 80] * 4, rel=0.1)  # of Dirichlet(1, 1, 1, 1)


def test_normal_logits_give_other_weights_with_the_same_mean():
    found = draws(Random(draw="normal"), 4000)
    assert found.mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.02)
    logits = found.log() - found.log().mean(1, keepdim=True)
    assert logits.var().item() == pytest.approx(3 / 4, rel=0.1)  # what is left without the mean


def test_the_natural_loss_has_no_share_where_it_is_left_out():
    found = draws(Random(include_natural=False), 10)
    assert not found[:, 0].any()
    assert found.sum(1).tolist() == pytest.approx([1.0] * 10)
    assert Random(include_natural=False).plan(NAMES, 4).tolist() == [False, True, True, True]


def test_a_seed_is_a_sequence_and_a_step_has_its_own_draw():
    assert torch.equal(draws(Random(), 5, seed=1), draws(Random(), 5, seed=1))
    assert not torch.equal(draws(Random(), 5, seed=1), draws(Random(), 5, seed=2))
    assert len(draws(Random(), 20).unique(dim=0)) == 20
