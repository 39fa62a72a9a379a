import numpy as np
import pytest
import torch
from torch import nn

from moat.data import Data, Digits, Split
from moat.evaluation import Protocol, evaluate, make_gallery
from moat.evaluation.gallery import GALLERY_IMAGES
from moat.threats import PGD, RT, Flow, Integrated, RTGrid, StAdv, Threat, registry, threat

THREATS = {
    "pgd": PGD(epsilon=0.1, step_size=0.05, steps=3),
    "flow": Flow(epsilon=0.3, step_size=0.1, steps=3),
    "rt": RT(epsilon=0.3, step_size=0.1, steps=3),
    "integrated": Integrated(
        flow_epsilon=0.1, flow_step_size=0.05, rt_epsilon=0.1, rt_step_size=0.05, steps=2
    ),
    "stadv": StAdv(step_size=0.1, steps=3),
    "turns": RTGrid(rotations=3, translations=3, degrees=20, pixels=1),
}


@pytest.fixture(scope="module")
def data():
    return Digits().load()


@pytest.fixture(scope="module")
def model(data):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(
            network(data.train.images / 255), data.train.labels.long()
        ).backward()
        optimizer.step()
    return network


@pytest.fixture(scope="module")
def protocol():
    return Protocol(THREATS, at_steps={"pgd": (1, 3)}, examples=60)


@pytest.fixture(scope="module")
def gallery(model, data, protocol):
    return make_gallery(model, data, protocol)


def test_it_shows_the_first_test_images_of_different_classes(gallery, data):
    assert len(set(gallery.labels.tolist())) == GALLERY_IMAGES
    where = [data.test.ids.tolist().index(one) for one in gallery.ids.tolist()]
    assert where == sorted(where)
    np.testing.assert_array_equal(gallery.images, data.test.images[where].numpy())
    np.testing.assert_array_equal(gallery.labels, data.test.labels[where].numpy())
    assert tuple(gallery.classes) == data.classes


def test_fewer_classes_than_images_are_filled_up_in_order(model, data, protocol):
    two = data.test.labels < 2
    few = Data(data.train, data.test.take(two.nonzero().squeeze(1)), data.classes)
    assert (
        make_gallery(model, few, protocol).labels.tolist()
        == few.test.labels[:GALLERY_IMAGES].tolist()
    )


def test_its_verdicts_are_those_of_the_outcome_matrix(gallery, model, data, protocol):
    found = evaluate(model, data, protocol).outcomes
    rows = [found.ids.tolist().index(one) for one in gallery.ids.tolist()]
    right = gallery.adversarial_predicted == gallery.labels
    for place, label in enumerate(gallery.threats):
        verdict = found.verdict(found.of(label)[-1])[rows]
        np.testing.assert_array_equal(right[place], verdict == 1, err_msg=label)
    np.testing.assert_array_equal(gallery.predicted == gallery.labels, found.values[rows, 0] == 1)
    assert 0 < right.mean() < 1


def test_of_several_restarts_the_first_that_fells_an_example_is_shown(model, data):
    wild = Flow(epsilon=0.5, search="random", start="uniform", steps=2)
    protocol = Protocol({"flow": wild}, restarts={"flow": 12}, falls="any", examples=60)
    gallery = make_gallery(model, data, protocol)
    found = evaluate(model, data, protocol).outcomes
    rows = [found.ids.tolist().index(one) for one in gallery.ids.tolist()]
    right = gallery.adversarial_predicted[0] == gallery.labels
    np.testing.assert_array_equal(right, found.verdict(found.of("flow")[-1])[rows] == 1)
    assert (~right).any()


def test_adversarial_images_are_within_reach_of_the_natural_ones(gallery):
    of = dict(zip(gallery.threats, gallery.adversarial, strict=True))
    apart = np.abs(of["pgd"].astype(int) - gallery.images.astype(int))
    assert 0 < apart.max() <= round(0.1 * 255) + 1
    assert dict(zip(gallery.threats, gallery.strengths, strict=True))["pgd"] == 3


def test_threats_that_move_pixels_say_where_from_and_others_say_nothing(gallery):
    moved = dict(zip(gallery.threats, gallery.displacements, strict=True))
    assert np.isnan(moved["pgd"]).all()
    for label in ("flow", "rt", "integrated", "stadv", "turns"):
        assert moved[label].shape == (GALLERY_IMAGES, 8, 8, 2)
        assert np.isfinite(moved[label]).all()
    assert 0 < np.abs(moved["flow"]).max() <= 0.3 + 1e-6


def test_a_shift_is_drawn_as_the_same_displacement_everywhere(model, data):
    shifts = RTGrid(rotations=1, translations=3, degrees=0, pixels=1)
    moved = make_gallery(model, data, Protocol({"shift": shifts})).displacements[0]
    assert np.allclose(moved, moved[:, :1, :1], atol=1e-5)
    assert set(np.round(np.abs(moved[:, 0, 0]), 4).ravel().tolist()) <= {0.0, 0.25}


def test_large_images_keep_a_coarse_field(data):
    images = torch.randint(0, 256, (4, 3, 40, 24), dtype=torch.uint8)
    split = Split(images, torch.tensor([0, 1, 0, 1]), torch.arange(4))
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 40 * 24, 2))
    gallery = make_gallery(
        network, Data(split, split, ("a", "b")), Protocol({"flow": THREATS["flow"]})
    )
    assert gallery.images.shape == (4, 3, 40, 24)
    assert gallery.displacements.shape == (1, 4, 16, 16, 2)


def test_a_threat_that_searches_its_own_way_is_given_the_shown_examples_alone(
    model, data, monkeypatch
):
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))  # for this test alone
    seen = []

    @threat("gallery-brighter")
    class Brighter(Threat):
        """Add a little light."""

        def perturb(self, model, x, y, *, generator=None):
            seen.append(len(x))
            return (x + 0.1).clamp(0, 1)

    gallery = make_gallery(model, data, Protocol({"light": Brighter()}))
    assert seen == [GALLERY_IMAGES]
    assert (gallery.adversarial[0].astype(int) - gallery.images).max() == 26
    assert np.isnan(gallery.displacements).all()


def test_its_arrays_hold_no_python_objects(gallery):
    assert not any(array.dtype.hasobject for array in gallery.arrays().values())


def test_without_threats_it_shows_the_images_alone(model, data):
    gallery = make_gallery(model, data, Protocol({}, examples=60))
    assert gallery.images.shape == (GALLERY_IMAGES, 1, 8, 8)
    assert gallery.adversarial.shape == (0, GALLERY_IMAGES, 1, 8, 8)
    assert gallery.adversarial_predicted.shape == (0, GALLERY_IMAGES)
    assert gallery.displacements.shape[:2] == (0, GALLERY_IMAGES)
