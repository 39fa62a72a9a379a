"""A python: model may begin from a file; what the file holds identifies the run."""

from pathlib import Path

import pytest
import torch

import moat
from moat.errors import ModelError, RecipeError
from moat.models import PythonModel
from moat.runs import RunFolder
from moat.study import plan
from moat.study.one_run import initial_model

ONLY = {"only": ("plain",)}
NETS = """
from torch import nn

def make(width=4):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
"""


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    """A file of weights for the user's network, whose module lies beside it."""
    (tmp_path / "begun_nets.py").write_text(NETS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = PythonModel("python:begun_nets:make").build((1, 8, 8), 10)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"model_state_dict": state, "epoch": 7}, tmp_path / "begin.pth")
    return tmp_path / "begin.pth"


@pytest.fixture
def begun(recipe, weights) -> Path:
    """A study whose network begins with the file."""
    model = '"python:begun_nets:make"\ninitial_weights = "begin.pth"'
    return recipe('"tiny-cnn"\nwidth = 4', model)


def first_layer(path: Path) -> torch.Tensor:
    held = torch.load(path, weights_only=True)["model_state_dict"]
    return held["module.1.weight"]


@pytest.mark.parametrize("way", ["file", "set"])
def test_a_run_begins_with_the_weights_of_the_file(begun, weights, way, monkeypatch):
    overrides = ()
    if way == "set":  # from where the command runs
        text = begun.read_text("utf-8").replace('initial_weights = "begin.pth"\n', "")
        begun.write_text(text, "utf-8")
        monkeypatch.chdir(weights.parent)
        overrides = ("model.initial_weights=begin.pth",)
    (run,) = plan(begun, **ONLY, overrides=overrides)
    found = initial_model(run, run.dataset.load()).state_dict()["1.weight"]
    assert torch.equal(found, first_layer(weights))


def test_the_digest_identifies_the_run_and_the_place_does_not(begun, weights, train):
    (folder,) = train(begun, **ONLY).done
    told = RunFolder(folder).read_record().trains["model"]
    assert told["initial_weights"].startswith("file ")
    held = weights.read_bytes()
    weights.unlink()  # needed when a run begins, and not again
    assert train(begun, **ONLY).skipped == [folder]
    assert moat.load(folder, allow_code=True)(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    weights.with_name("moved.pth").write_bytes(held)
    begun.write_text(begun.read_text("utf-8").replace("begin.pth", "moved.pth"), "utf-8")
    again = train(begun, **ONLY)
    assert not again.failed
    assert again.skipped == [folder]


def test_a_file_that_changed_before_a_run_goes_on_is_refused_by_name(begun, weights, train, watch):
    twice = ("training.epochs=2", "training.log_every=1")
    with pytest.raises(watch.Killed):
        train(begun, **ONLY, overrides=twice, listener=watch(dies_at=8))
    held = torch.load(weights, weights_only=True)
    held["model_state_dict"]["module.1.bias"] += 1
    torch.save(held, weights)
    (error,) = train(begun, **ONLY, overrides=twice).failed.values()
    assert "model.initial_weights: 'file " in error.message


def test_a_run_that_goes_on_does_not_need_the_file(begun, weights, train, watch):
    twice = ("training.epochs=2", "training.log_every=1")
    with pytest.raises(watch.Killed):
        train(begun, **ONLY, overrides=twice, listener=watch(dies_at=8))
    weights.unlink()
    assert train(begun, **ONLY, overrides=twice).done


def test_a_missing_file_and_other_shapes_are_refused_by_the_recipes_key(begun, weights, train):
    text = begun.read_text("utf-8")
    begun.write_text(text.replace('"begin.pth"', '"begin.pth"\nwidth = 5'), "utf-8")
    (run,) = plan(begun, **ONLY)
    with pytest.raises(ModelError) as refused:
        initial_model(run, run.dataset.load())
    assert refused.value.where == f"{begun}, model.initial_weights"
    assert refused.value.message.startswith(
        "the weights 'begin.pth' do not fit 'python:begun_nets:make': 3 of another shape: 1.weight"
    )
    weights.unlink()
    (error,) = train(begun, **ONLY).failed.values()
    assert error.where == f"{begun}, model.initial_weights"
    assert error.message == f"the weights file {str(weights)!r} does not exist."


def test_weights_that_are_not_finite_are_refused(begun, weights):
    held = torch.load(weights, weights_only=True)
    held["model_state_dict"]["module.1.bias"][0] = float("nan")
    torch.save(held, weights)
    (run,) = plan(begun, **ONLY)
    with pytest.raises(ModelError, match=r"hold values that are not finite: 1\.bias"):
        initial_model(run, run.dataset.load())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.initial_weights=3", "should be a file of weights, not 3."),
        ("model.weights_digest=3", "should be 16 hex digits, not 3."),
    ],
)
def test_what_is_no_file_is_refused(begun, override, message):
    with pytest.raises(RecipeError) as refused:
        plan(begun, **ONLY, overrides=(override,))
    assert refused.value.message == message


def test_tags_and_notes_are_kept_and_identify_no_run(recipe, train):
    path = recipe()
    (folder,) = train(path, **ONLY).done
    marked = recipe("[data]", 'tags = ["first", "to keep"]\nnotes = "Two\\nlines."\n[data]')
    assert train(marked, **ONLY).skipped == [folder]
    (other,) = train(marked, only=("pgd-at",)).done
    runs = moat.results(folder, other).runs.sort("variant")
    assert [list(tags) for tags in runs["tags"]] == [["first", "to keep"], []]
    assert runs["notes"].to_list() == ["Two\nlines.", ""]


@pytest.mark.parametrize("tags", ['"one"', "[1]", '[""]', '["a\\nb"]'])
def test_tags_are_words(recipe, tags):
    with pytest.raises(RecipeError, match="tags"):
        plan(recipe("[data]", f"tags = {tags}\n[data]"))
