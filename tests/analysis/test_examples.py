import numpy as np
import pytest
import torch

from moat.analysis import ExampleChoice, adversarial_examples
from moat.analysis.batches import batches_of
from moat.analysis.iterates import search_iterates
from moat.data import Data, Split
from moat.errors import AnalysisError
from moat.evaluation import Protocol, evaluate, make_gallery
from moat.evaluation.searching import searched_images
from moat.geometry.grids import identity_grid, resample
from moat.threats import PGD, Flow, RTGrid, Threat


@pytest.fixture
def data(network):
    """Forty images whose labels are the answers of the network with seed 0; ids from 100."""
    x = (255 * torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(3))).byte()
    with torch.no_grad():
        labels = network(0)(x.float() / 255).argmax(1)
    split = Split(x, labels, ids=torch.arange(100, 140))
    return Data(split, split, classes=tuple("abcdefghij"))


@pytest.mark.parametrize(("falls", "iterates"), [("last", False), ("any", True)])
def test_the_images_are_those_of_the_evaluation(network, data, protocol, falls, iterates):
    stated = Protocol(
        protocol.threats, at_steps=protocol.at_steps, restarts=protocol.restarts, falls=falls
    )
    gallery = make_gallery(network(0), data, stated)
    ids = tuple(gallery.ids.tolist())
    found = adversarial_examples(
        {"net": network(0)}, data, stated, ExampleChoice(ids), iterates=iterates
    )
    assert found["example"].tolist() == sorted(ids)
    order = np.argsort(gallery.ids)
    np.testing.assert_array_equal(found["image"], gallery.images[order])
    np.testing.assert_array_equal(found["adversarial"][0], gallery.adversarial[:, order])
    np.testing.assert_array_equal(found["predicted"][0], gallery.adversarial_predicted[:, order])
    np.testing.assert_array_equal(found["natural_predicted"][0], gallery.predicted[order])
    assert found.coordinates("class") == list("abcdefghij")
    assert found["strength"].tolist() == ["3 steps", "2 steps", "2 steps"]


def test_the_displacement_turns_one_image_into_the_other(network, data, protocol):
    found = adversarial_examples({"net": network(0)}, data, protocol)
    x = torch.from_numpy(found["image"]).float() / 255
    moved = torch.from_numpy(found["displacement"][0])
    for place, label in enumerate(found.coordinates("threat")):
        if label == "pgd":
            assert moved[place].isnan().all()
            continue
        again = resample(x, identity_grid(x) + moved[place])
        np.testing.assert_allclose(255 * again.numpy(), found["adversarial"][0, place], atol=0.51)


class Darker(Threat):
    """A threat that is not climbed."""

    def perturb(self, model, x, y, *, generator=None):
        return 0.5 * x


THREATS = {
    "sign": PGD(epsilon=0.1, step_size=0.05, steps=3),
    "uniform": PGD(epsilon=0.1, step_size=0.05, steps=3, start="uniform"),
    "apgd": PGD(epsilon=0.1, steps=4, search="apgd"),
    "random": PGD(epsilon=0.1, steps=4, search="random"),
    "flow": Flow(epsilon=0.3, step_size=0.1, steps=2),
    "grid": RTGrid(degrees=10, pixels=1, rotations=3, translations=3),
    "darker": Darker(),
}


@pytest.mark.parametrize("name", THREATS)
def test_the_last_iterate_is_the_image_of_the_evaluation_and_the_first_the_start(
    network, data, name
):
    threat = THREATS[name]
    restarts = {} if threat.repetition else {name: 2}
    stated = Protocol({name: threat}, restarts=restarts)
    (batch,) = batches_of(network(0), data.test, stated)
    rows = np.array([1, 7, 20])
    film = search_iterates(batch, name, rows)
    images, w = searched_images(batch, name, rows)
    torch.testing.assert_close(film.images[-1], images, rtol=0, atol=1e-6)
    for one, other in zip(film.w or (), w or (), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    if name in ("sign", "flow"):  # from zero
        torch.testing.assert_close(film.images[0], batch.examples(rows)[0], rtol=0, atol=1e-5)
        assert len(film.images) == threat.steps + 1
    if name == "darker":
        torch.testing.assert_close(film.images, torch.stack([batch.examples(rows)[0], images]))
    assert len(film.counts) == len(film.images)


def test_of_a_long_search_some_iterates_are_kept(network, data, monkeypatch):
    monkeypatch.setattr("moat.analysis.iterates.MOST_ITERATES", 4)
    stated = Protocol({"pgd": PGD(epsilon=0.1, step_size=0.01, steps=9)})
    (batch,) = batches_of(network(0), data.test, stated)
    film = search_iterates(batch, "pgd", np.array([2]))
    assert film.counts == (0, 2, 4, 7, 9)


def test_a_short_search_stays_at_its_last_iterate(network, data):
    stated = Protocol(
        {
            "long": PGD(epsilon=0.1, step_size=0.05, steps=4),
            "short": PGD(epsilon=0.1, step_size=0.05, steps=1),
        }
    )
    found = adversarial_examples({"net": network(0)}, data, stated, iterates=True)
    assert found["film"].shape == (1, 2, 5, 3, 1, 8, 8)
    for iterate in range(1, 5):
        np.testing.assert_array_equal(found["film"][0, 1, iterate], found["adversarial"][0, 1])
    np.testing.assert_array_equal(found["film_predicted"][0, :, -1], found["predicted"][0])


def test_examples_of_several_batches_keep_the_starts_of_the_evaluation(network, data, monkeypatch):
    stated = Protocol({"pgd": PGD(epsilon=0.05, step_size=0.05, steps=1, start="uniform")})
    for home in ("evaluator", "gallery"):
        monkeypatch.setattr(f"moat.evaluation.{home}.BATCH", 16)
    monkeypatch.setattr("moat.analysis.batches.BATCH", 16)
    monkeypatch.setattr("moat.analysis.example_arrays.BATCH", 16)
    evaluation = evaluate(network(0), data, stated)
    every = ExampleChoice(tuple(range(100, 140)))
    found = adversarial_examples({"net": network(0)}, data, stated, every)
    right = found["predicted"][0, 0] == found["label"]
    np.testing.assert_array_equal(right, evaluation.outcomes.values[:, 1] == 1)
    few = adversarial_examples({"net": network(0)}, data, stated, ExampleChoice((105, 131)))
    np.testing.assert_array_equal(few["adversarial"][0, 0], found["adversarial"][0, 0, [5, 31]])


def test_examples_are_chosen_by_class_or_at_random(network, data, protocol):
    def chosen(**choice):
        (threat,) = ["flow"]
        return adversarial_examples(
            {"net": network(0)}, data, protocol, ExampleChoice(**choice), threats=[threat]
        )

    classes = len(set(data.test.labels.tolist()))
    found = chosen(count=min(classes, 4))
    assert len(set(found["label"].tolist())) == min(classes, 4)
    drawn = [tuple(chosen(count=5, seed=seed)["example"].tolist()) for seed in (0, 1, 2, 0)]
    assert len(set(drawn)) == 3
    assert drawn[0] == drawn[3]
    assert len(chosen(count=40)["example"]) == 40


@pytest.mark.parametrize(
    ("choice", "examples", "message"),
    [
        (
            {"ids": (100, 7)},
            None,
            "examples: the test set has no example 7: its 40 ids lie between 100 and 139.\n"
            "  among those to choose from: 100, 101, 102,",
        ),
        (
            {"ids": (139,)},
            4,
            "examples: the example 139 was not searched: the protocol evaluates 4 of the 40 test "
            "examples, without this one.\n  among those to choose from: 100, 101, 102, 103\n",
        ),
        (
            {"count": 5},
            4,
            "examples: 5 examples are wanted, and the protocol evaluates 4.",
        ),
    ],
)
def test_an_example_that_is_not_there_or_was_not_searched_is_refused(
    network, data, choice, examples, message
):
    stated = Protocol(
        {"pgd": PGD(epsilon=0.1, step_size=0.1, steps=1)}, examples=examples, sample="first"
    )
    with pytest.raises(AnalysisError) as refused:
        adversarial_examples({"net": network(0)}, data, stated, ExampleChoice(**choice))
    assert str(refused.value).startswith(message)


def test_a_count_of_none_is_refused():
    with pytest.raises(AnalysisError, match="the count of examples is at least 1, not 0"):
        ExampleChoice(count=0)


@pytest.mark.parametrize(("count", "words"), [(1, "of 1 example"), (2, "of 2 examples")])
def test_a_finding_counts_in_words_that_fit(network, batch, protocol, count, words):
    found = adversarial_examples(
        {"a": network()}, batch, protocol, ExampleChoice(count=count), threats=("flow",)
    )
    (finding,) = found.findings
    assert finding.text.endswith(words)
