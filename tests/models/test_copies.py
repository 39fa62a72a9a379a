"""A copy of a network is one that can be searched and trained as the network can."""

import warnings

import pytest
import torch
from torch import nn

from moat.models.copies import copy_of


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))


@pytest.mark.parametrize("make", [scripted, lambda: nn.Linear(4, 2)], ids=["scripted", "module"])
def test_its_parameters_are_leaves_with_the_same_flags(make):
    network = make()
    first, *rest = network.parameters()
    first.requires_grad_(False)
    copied = copy_of(network)
    assert [p.requires_grad for p in copied.parameters()] == [False, *(True for _ in rest)]
    assert all(parameter.is_leaf for parameter in copied.parameters())
    assert {id(p) for p in copied.parameters()}.isdisjoint(id(p) for p in network.parameters())


def test_a_weight_that_a_hook_computes_is_copied_by_its_value():
    network = nn.Linear(4, 2)
    with pytest.warns(FutureWarning):  # older networks have it
        nn.utils.weight_norm(network)
    network(torch.ones(1, 4)).sum().backward()
    copied = copy_of(network)
    assert torch.equal(copied(torch.ones(1, 4)), network(torch.ones(1, 4)))


class Single(nn.Linear):
    def __deepcopy__(self, memo):
        raise TypeError("one of a kind")


class Itself(nn.Linear):
    def __deepcopy__(self, memo):
        return self


@pytest.mark.parametrize("network", [Single(2, 2), Itself(2, 2)])
def test_what_has_no_copy_gives_none(network):
    assert copy_of(network) is None
