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
    """A briefly trained network and some images that it mostly gets right."""
    train = Digits(size=28).load().train
    return costs.trained(train.take(torch.arange(640)), 3), train.take(torch.arange(30))


@pytest.mark.parametrize(("name", "shared", "separate"), [("mnist", 80, 200), ("cifar10", 50, 116)])
def test_shared_iterates_save_what_the_table_promises(costs, name, shared, separate):
    found = costs.saved(name, 10)
    assert found.shared == costs.Passes(shared, 1 + 3)  # alone: natural, each search's last iterate
    assert found.separate == costs.Passes(separate, 1 + 12)
    assert found.same
    assert 0 < found.stood < 1  # so that the same outcomes say something


@pytest.mark.parametrize("search", ["pgd, ε = 0.1", "pgd by APGD, ε = 0.1"])
def test_leaving_examples_change_no_outcome_and_save_passes(costs, trained, search):
    found = costs.shrinking(*trained, costs.SEARCHES[search], 1)
    assert found.same
    assert 0 < found.alive < 0.9


def test_other_libraries_find_the_same_outcomes(costs, trained, monkeypatch):
    monkeypatch.setattr(costs, "STEPS", 5)
    pytest.importorskip("foolbox")
    pytest.importorskip("torchattacks")
    found = {name: one.same for name, one in costs.beside(*trained, 1).items()}
    assert found["foolbox"] >= 0.96  # rounding may turn one example of thirty
    assert found["torchattacks"] >= 0.96


def test_a_library_that_is_not_there_is_left_out_and_named(costs, monkeypatch):
    monkeypatch.setattr(costs, "find_spec", lambda _: None)
    assert set(costs.attacks(torch.nn.Flatten(), (1, 2, 2), 0.1)) == {"moat"}
    assert costs._beside_table({}).caption == "not installed: foolbox, torchattacks, art"
