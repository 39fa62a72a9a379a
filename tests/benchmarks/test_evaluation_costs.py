"""The evaluation benchmark's counts and outcomes, in small; its times say nothing here."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

from moat.data import Digits

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def costs():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield import_module("benchmarks.evaluation")


@pytest.fixture(scope="module")
def trained(costs):
    """A briefly trained network and forty images that it mostly gets right."""
    train = Digits(size=28).load().train
    return costs.trained(train.take(torch.arange(640)), 3), train.take(torch.arange(40))


@pytest.mark.parametrize(("name", "shared", "apart"), [("mnist", 80, 200), ("cifar10", 50, 116)])
def test_shared_iterates_save_what_the_table_promises(costs, name, shared, apart):
    looked = 2 / 10  # two images of ten, before the search
    found = costs.passes(name, 10)
    assert found == (pytest.approx(shared + looked), pytest.approx(apart + looked), True)


def test_leaving_examples_change_no_outcome_and_save_passes(costs, trained):
    found = costs.shrinking(*trained, 0.1, 1)
    assert found.same
    assert 0 < found.alive < 0.9


def test_other_libraries_find_the_same_outcomes(costs, trained):
    pytest.importorskip("foolbox")
    pytest.importorskip("torchattacks")
    found = {one.name: one.same for one in costs.beside(*trained, 0.05, 1)}
    assert found["foolbox"] >= 0.97  # rounding may turn one example of forty
    assert found["torchattacks"] >= 0.97
