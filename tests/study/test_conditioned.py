"""A conditioned network: trained once, a run for each point, and plain networks for any other."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

import moat
from moat import study
from moat.errors import InputError, RunFolderError
from moat.events import TrainingStep
from moat.models import FiLM
from moat.report import read_points
from moat.runs import RunFolder

SMALL = Path(__file__).parents[1] / "small.toml"
HEAD = (
    SMALL.read_text("utf-8").partition("[[variant]]")[0].replace("examples = 40", "examples = 20")
)
FILM = """
[[variant]]
name = "plain"
threats = ["pgd"]

[[variant]]
name = "film"
threats = ["pgd"]
scalarizer = "sampled"
conditioned = { at = [0.5, 0, { natural = 0.25, pgd = 0.75 }], hidden = 8 }
"""
TEXT = HEAD.replace('type = "digits"', 'type = "digits"\ntrain_examples = 256') + FILM
POINTS = ("at=0.5", "at=0", "at=0.25natural+0.75pgd")
SAME = ("model.safetensors", "conditioned.safetensors", "evaluation.npz", "evaluation.json")
"""Files in which no time stands."""


@pytest.fixture
def film_recipe(tmp_path):
    """Write a small study with a conditioned network, with a piece of its text replaced."""

    def write(old="", new=""):
        assert old in TEXT
        file = tmp_path / "study.toml"
        file.write_text(TEXT.replace(old, new, 1), "utf-8")
        return file

    return write


@pytest.fixture
def points(film_recipe, trained, results):
    """Lay down the finished points; return their folders by name."""
    trained(film_recipe(), "film")
    folder = results / "study" / "film"
    return {name: RunFolder(folder / name / "seed-0") for name in POINTS}


def images():
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_first_point_trains_and_the_others_take_their_network_from_it(points):
    records = [run.read_record() for run in points.values()]
    passes = [record.training["passes"] for record in records]
    assert passes[0] > 0
    assert passes[1:] == [0, 0]
    assert {record.passes_to_here for record in records} == {passes[0]}
    assert [run.checkpoint.exists() for run in points.values()] == [True, False, False]
    assert [record.label for record in records] == [f"film {name}" for name in POINTS]
    assert len({record.train_hash for record in records}) == 3
    trunk = records[0].train_hash
    assert [record.start and record.start.training for record in records] == [None, trunk, trunk]
    assert len({run.path.joinpath("evaluation.npz").read_bytes() for run in points.values()}) > 1


def test_each_point_is_a_plain_network_of_the_model_and_any_run_gives_every_point(points):
    ways = {
        "at=0.5": {"at": 0.5},
        "at=0": {"preference": {"natural": 1.0}},
        "at=0.25natural+0.75pgd": {"at": 0.75},  # with one threat, every preference is on the line
    }
    answers = []
    for name, run in points.items():
        network = moat.load(run.path)
        assert isinstance(network, nn.Sequential)
        assert not any(isinstance(module, FiLM) for module in network.modules())
        answers.append(network(images()))
        for other in points.values():
            loaded = moat.load(other.path, **ways[name])
            assert not loaded.training
            assert torch.equal(loaded(images()), answers[-1])
    assert not torch.equal(answers[0], answers[1])


def test_the_trained_network_at_a_preference_equals_the_run_of_the_point(points):
    run = points["at=0.5"]
    network = FiLM(moat.load(run.path), ("natural", "pgd"), 8)
    network.load_state_dict(run.load_conditioned(run.read_record().train_hash))
    network.prefer({"natural": 0.5, "pgd": 0.5})
    assert torch.equal(network(images()), moat.load(run.path)(images()))


def test_another_point_is_evaluated_as_a_run_beside_the_others_and_kept(points, film_recipe):
    folder = next(iter(points.values())).path.parents[1]
    paths = [run.path for run in points.values()]
    (one,) = study.evaluate_points(paths, at=0.125, device="cpu")
    assert one.error is None
    assert one.folder == folder / "at=0.125" / "seed-0"
    record = RunFolder(one.folder).read_record()
    assert record.label == "film at=0.125"
    assert record.training["passes"] == 0
    expected = moat.load(paths[0], at=0.125)(images())
    assert torch.equal(moat.load(one.folder)(images()), expected)
    (again,) = study.evaluate_points(paths[1:2], at=0.125, device="cpu")
    assert again.before
    (known,) = study.evaluate_points(paths, preference={"natural": 1.0}, device="cpu")
    assert (known.folder.parent.name, known.before) == ("at=0", True)  # the same weights
    text = film_recipe("at = [0.5, 0,", "at = [0.5, 0.125, 0,")  # as if the recipe named it
    done = study.train(text, results=folder.parents[1], only=["film"], device="cpu")
    assert done.failed == {}
    assert done.done == []


def test_a_point_of_a_network_that_was_trained_again_is_stale_and_made_anew(points, film_recipe):
    trunk, results = points["at=0.5"], points["at=0.5"].path.parents[3]
    asked = {"preference": {"pgd": 0.25, "natural": 0.75}, "device": "cpu"}
    (one,) = study.evaluate_points([trunk.path], **asked)
    assert one.folder.parent.name == "at=0.75natural+0.25pgd"
    assert stale_below(results) == []
    again = film_recipe("batch_size = 256", "batch_size = 128")
    study.train(again, results=results, only=["film"], device="cpu", overwrite=True)
    assert stale_below(results) == ["film at=0.75natural+0.25pgd"]
    with pytest.raises(RunFolderError, match=r"The network was trained again after this point"):
        moat.load(one.folder, at=0.3)
    for named in (trunk.path, one.folder):
        (refused,) = study.evaluate_points([named], **asked)
        assert "the folder contains a run with other training settings" in str(refused.error)
        mend = "--preference pgd=0.25,natural=0.75 --overwrite` makes the point anew"
        assert mend in refused.error.hint
    (anew,) = study.evaluate_points([one.folder, trunk.path], **asked, overwrite=True)
    assert (anew.error, anew.folder, anew.before) == (None, one.folder, False)
    assert stale_below(results) == []
    assert torch.equal(moat.load(one.folder)(images()), moat.load(trunk.path, at=0.25)(images()))
    (kept,) = study.evaluate_points([trunk.path], at=0.25, device="cpu")
    assert (kept.folder, kept.before) == (one.folder, True)


def stale_below(results):
    return sorted(point.label for point in read_points(results)[0] if point.is_stale)


def test_the_run_that_trained_the_network_is_not_overwritten_for_its_point(points):
    run = points["at=0.5"]
    before = run.path.joinpath("run.json").read_bytes()
    (one,) = study.evaluate_points([run.path], at=0.5, device="cpu", overwrite=True)
    assert "the run of this point trained the network" in str(one.error)
    assert run.path.joinpath("run.json").read_bytes() == before


def test_a_network_whose_norms_have_no_weights_is_refused_before_training(
    film_recipe, tmp_path, monkeypatch
):
    (tmp_path / "weightless_norms.py").write_text(
        "from torch import nn\n"
        "def net(classes=10):\n"
        "    parts = nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4), nn.Flatten()\n"
        "    return nn.Sequential(*parts, nn.Linear(144, classes))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    recipe = film_recipe('type = "tiny-cnn"\nwidth = 4', 'type = "python:weightless_norms:net"')
    done = study.train(recipe, results=tmp_path / "results", only=["film"])
    assert all("norm layers have no weights" in str(error) for error in done.failed.values())
    assert len(done.failed) == 3


def test_a_run_that_died_has_the_same_bytes_once_it_is_done(film_recipe, tmp_path):
    def die(event):
        if isinstance(event, TrainingStep) and event.epoch == 2:
            raise KeyboardInterrupt

    keys = {"only": ["film"], "device": "cpu", "overrides": ["training.epochs=2"]}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    done = study.train(film_recipe(), results=whole, **keys).done
    with pytest.raises(KeyboardInterrupt):
        study.train(film_recipe(), results=broken, listener=die, **keys)
    assert len(study.train(film_recipe(), results=broken, **keys).done) == 3
    for run in done:
        for file in (run / name for name in SAME if (run / name).exists()):
            assert (broken / file.relative_to(whole)).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"at": 1.5}, "at is 1.5, not a number from 0 to 1"),
        ({"preference": {"natural": 0.5, "rt": 0.5}}, "the preference names 'rt', no objective"),
        ({"preference": {"natural": 0.5}}, "the weights of the preference sum to 0.5, not to 1"),
        ({"preference": {"natural": 1.5, "pgd": -0.5}}, "the weight 1.5, not a number from 0"),
        ({"at": 0.5, "preference": {"natural": 1.0}}, "at and preference both choose"),
    ],
)
def test_an_invalid_preference_is_refused(points, keys, text):
    with pytest.raises(InputError, match=text):
        moat.load(points["at=0"].path, **keys)
    if len(keys) == 1:
        (one,) = study.evaluate_points([points["at=0"].path], **keys, device="cpu")
        assert text in str(one.error)


def test_a_preference_whose_names_are_no_texts_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="preference should be None or a table, each name a text"):
        moat.load(tmp_path, preference={1: 1})


def test_a_run_without_a_conditioned_network_has_no_other_preference(trained, film_recipe):
    (run,) = [path for path in trained(film_recipe(), "plain") if path.exists()]
    for keys in ({"at": 0.5}, {"preference": {"natural": 1.0}}):
        with pytest.raises(InputError, match="for no other preference than its own"):
            moat.load(run, **keys)
    (one,) = study.evaluate_points([run], at=0.5, device="cpu")
    assert "for no other preference than its own" in str(one.error)
    with pytest.raises(InputError, match="neither at nor preference is given"):
        study.evaluate_points([run])


def test_a_missing_conditioned_network_is_named_with_the_mend(points, film_recipe):
    trunk = points["at=0.5"].path
    (trunk / "conditioned.safetensors").unlink()
    with pytest.raises(RunFolderError, match="the folder has no conditioned network"):
        moat.load(points["at=0"].path, at=0.3)
    shutil.rmtree(points["at=0"].path)
    done = study.train(
        film_recipe(), results=trunk.parents[3], only=["film"], device="cpu", seeds=[0]
    )
    (error,) = done.failed.values()
    assert "the folder has no conditioned network (conditioned.safetensors)" in str(error)


def test_a_bundle_without_the_conditioned_network_says_how_to_pack_it(points, tmp_path):
    file = tmp_path / "one.zip"
    moat.bundle(points["at=0"].path, file, weights=True)
    with pytest.raises(RunFolderError, match="no conditioned network") as caught:
        moat.load(file, at=0.3)
    assert caught.value.where.startswith("one.zip")
    assert "Pack the folder of the variant" in caught.value.hint


def test_a_conditioned_network_that_does_not_fit_is_refused(points):
    run = points["at=0.5"]
    trunk = run.read_record().train_hash
    (run.path / "run.json").unlink()
    run.save_conditioned({"weight": torch.zeros(2)}, trunk)
    with pytest.raises(RunFolderError, match="the conditioned network does not fit the run"):
        moat.load(points["at=0"].path, at=0.3)
    run.save_conditioned({"weight": torch.zeros(2)}, "of another")
    with pytest.raises(RunFolderError, match="the file belongs to another run"):
        moat.load(points["at=0"].path, at=0.3)
