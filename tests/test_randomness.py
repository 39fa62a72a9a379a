"""Every draw comes from (seed, epoch, purpose)."""

from itertools import product

import torch

from moat.randomness import PURPOSES, derived_seed, generator_for, seed_globally, seed_named


def test_no_two_purposes_epochs_or_seeds_share_a_stream():
    seeds = [derived_seed(*key) for key in product(range(5), range(5), PURPOSES)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_generator_can_be_recreated():
    one, two = (torch.rand(3, generator=generator_for(1, 2, "search")) for _ in range(2))
    assert torch.equal(one, two)


def test_global_draws_are_seeded_by_seed_and_epoch():
    seed_globally(1, 2)
    one = torch.rand(3)
    seed_globally(1, 2)
    assert torch.equal(one, torch.rand(3))


def test_a_seed_is_what_older_runs_drew_from():
    assert seed_named(0, "pgd", 1) == 30832690768150616
    assert derived_seed(1, 2, "search") == 6498626229777268288
