import numpy as np
import pytest
import torch

from moat.analysis import transfer
from moat.errors import AnalysisError
from moat.evaluation import Protocol, evaluate
from moat.outcomes import WITHSTOOD
from moat.threats import PGD


class InMemory:
    def __init__(self):
        self.kept, self.saved = {}, []

    def load(self, key):
        return self.kept.get(key)

    def save(self, key, arrays):
        self.saved.append(key)
        self.kept[key] = arrays


@pytest.fixture
def models(network):
    return {"a": network(0), "b": network(1), "c": network(2)}


@pytest.mark.parametrize("falls", ["last", "any"])
def test_transfer_of_a_model_to_itself_is_its_own_outcome(models, batch, protocol, falls):
    stated = Protocol(
        protocol.threats, at_steps=protocol.at_steps, restarts=protocol.restarts, falls=falls
    )
    x = batch[0]
    # the model's own answers, so that natural images stand and searches have something to fell
    y = models["a"](x).argmax(1)
    found = transfer(models, (x, y), stated)
    for place, model in enumerate(models.values()):
        outcomes = evaluate(model, (x, y), stated).outcomes
        natural = outcomes.values[:, 0] == WITHSTOOD
        assert found["natural"][place] == pytest.approx(100 * natural.mean())
        for number, label in enumerate(found.coordinates("threat")):
            column = max(outcomes.of(label), key=lambda one: one.strength)
            stood = outcomes.verdict(column) == WITHSTOOD
            own = found["correct"][place, place, number]
            if falls == "any":  # the images alone: one that is wrong already fell before them
                own = own & natural
                stood = stood & natural
            np.testing.assert_array_equal(own, stood)
    assert 0 < found["accuracy"][0, 0].mean() < 100


def test_the_numbers_follow_from_the_verdicts(models, batch, protocol):
    x, y = batch[0], models["a"](batch[0]).argmax(1)
    found = transfer(models, (x, y), protocol)
    correct = found["correct"].astype(bool)
    np.testing.assert_allclose(found["accuracy"], 100 * correct.mean(-1))
    for target in range(3):
        own = correct[target, target]
        for source in range(3):
            lost = (own & ~correct[source, target]).mean(-1)
            gained = (~own & correct[source, target]).mean(-1)
            np.testing.assert_allclose(found["further"][source, target], 100 * lost)
            np.testing.assert_allclose(
                found["difference"][source, target], 100 * (gained - lost), atol=1e-9
            )
    assert (found["accuracy_low"] <= found["accuracy"]).all()
    assert (found["difference_high"] >= found["difference"]).all()


def test_an_own_search_that_is_too_weak_is_a_warning(network):
    x = torch.rand(200, 1, 8, 8, generator=torch.manual_seed(0))
    strong = network(0)
    # the same function, whose gradient at its own input is masked
    weak = torch.nn.Sequential(Masked(), network(0))
    y = strong(x).argmax(1)
    stated = Protocol({"pgd": PGD(epsilon=0.1, step_size=0.05, steps=3)})
    found = transfer({"strong": strong, "weak": weak}, (x, y), stated)
    (warning,) = [one for one in found.findings if one.is_warning]
    assert warning.text == (
        "pgd: images found on strong fell more examples of weak than its own search, so that "
        "search is too weak"
    )
    assert warning.value == pytest.approx(found["difference"][0, 1, 0])
    assert warning.high < 0
    assert warning.unit == "percentage points"


class Masked(torch.nn.Module):
    """The identity, with a gradient of nearly nothing and of the wrong sign."""

    def forward(self, x):
        return x.detach() - 1e-6 * (x - x.detach())


def test_finished_models_are_not_searched_again(models, batch, protocol):
    parts, told = InMemory(), []
    first = transfer(
        models, batch, protocol, parts=parts, progress=lambda done, of: told.append((done, of))
    )
    assert len(parts.saved) == 3
    assert told[-1][0] == pytest.approx(told[-1][1])
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    again = transfer(models, batch, protocol, parts=parts)
    assert len(parts.saved) == 3
    np.testing.assert_array_equal(first["correct"], again["correct"])


def test_some_threats_are_chosen(models, batch, protocol):
    found = transfer(models, batch, protocol, threats=["rt"])
    assert found.coordinates("threat") == ["rt"]
    assert found.settings == {"threats": ["rt"], "examples": 12}


def test_bad_input_is_refused_with_the_mend(models, batch, protocol):
    with pytest.raises(AnalysisError) as refused:
        transfer({"a": models["a"]}, batch, protocol)
    assert str(refused.value) == (
        "models: transfer needs two models or more, not 1.\n"
        "  Name several runs: moat analyze transfer RUN RUN..."
    )
    with pytest.raises(AnalysisError) as refused:
        transfer(models, batch, protocol, threats=["flwo"])
    assert str(refused.value) == (
        "threats: the protocol evaluates no threat labelled 'flwo'. Did you mean 'flow'?\n"
        "  evaluated: pgd, flow, rt"
    )
