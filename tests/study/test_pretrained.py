"""Weights that were trained before are needed when a run begins, and not again."""

from pathlib import Path

import pytest
import torch
from torchvision.models import shufflenet_v2_x0_5

import moat
from moat.errors import RecipeError
from moat.runs import RunFolder
from moat.study import evaluate_run, plan
from moat.study.one_run import initial_model

ONLY = {"only": ("plain",)}


@pytest.fixture
def weights(tmp_path) -> Path:
    """A file of weights, for six classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        torch.save(shufflenet_v2_x0_5(num_classes=6).state_dict(), tmp_path / "w.pth")
    return tmp_path / "w.pth"


@pytest.fixture
def pretrained(recipe, weights) -> Path:
    """A study that begins with the file; the network is large, so its images are few."""
    model = f'"torchvision:shufflenet_v2_x0_5"\nweights = "{weights.name}"'
    path = recipe('"tiny-cnn"\nwidth = 4', model)
    text = path.read_text("utf-8").replace("[model]", "train_examples = 512\n[model]")
    path.write_text(text.replace("examples = 40", "examples = 4"), "utf-8")
    return path


def test_a_run_begins_with_the_weights_of_the_file(pretrained, weights):
    (run,) = plan(pretrained, **ONLY)
    found = initial_model(run, run.dataset.load()).state_dict()["network.conv1.0.weight"]
    assert torch.equal(found, torch.load(weights, weights_only=True)["conv1.0.weight"])


def test_a_finished_run_does_not_need_the_file(pretrained, weights, train):
    (folder,) = train(pretrained, **ONLY).done
    scores = RunFolder(folder).read_record().scores
    weights.unlink()
    model = moat.load(folder)
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    assert evaluate_run(folder, "cpu") == scores
    assert train(pretrained, **ONLY).skipped == [folder]


def test_a_changed_protocol_is_evaluated_without_the_file(pretrained, weights, train):
    (folder,) = train(pretrained, **ONLY).done
    weights.unlink()
    pretrained.write_text(pretrained.read_text("utf-8").replace("examples = 4\n", "examples = 5\n"))
    assert train(pretrained, **ONLY).done == [folder]


def test_a_run_that_goes_on_does_not_need_the_file(pretrained, weights, train, watch, tmp_path):
    twice = ("training.epochs=2", "training.log_every=1")
    whole = train(pretrained, **ONLY, overrides=twice, results=tmp_path / "whole").done[0]
    with pytest.raises(watch.Killed):
        train(pretrained, **ONLY, overrides=twice, listener=watch(dies_at=3))
    weights.unlink()
    (folder,) = train(pretrained, **ONLY, overrides=twice).done
    for name in ("model.safetensors", "evaluation.npz", "recipe.toml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    hashes = [RunFolder(one).read_record().train_hash for one in (folder, whole)]
    assert hashes[0] == hashes[1]


def test_the_same_file_elsewhere_is_the_same_run(pretrained, weights, train, tmp_path):
    (folder,) = train(pretrained, **ONLY).done
    weights.rename(tmp_path / "moved.pth")
    text = pretrained.read_text("utf-8").replace("w.pth", "moved.pth")
    pretrained.write_text(text, "utf-8")
    assert train(pretrained, **ONLY).skipped == [folder]


def test_a_file_that_holds_something_else_is_another_training(pretrained, weights, train):
    (folder,) = train(pretrained, **ONLY).done
    before = RunFolder(folder).read_record().trains["model"]["weights"]
    torch.save(shufflenet_v2_x0_5(num_classes=6).state_dict(), weights)
    (error,) = train(pretrained, **ONLY).failed.values()
    assert error.where == str(folder)
    assert error.message.startswith(
        f"the folder contains a run with other training settings: model.weights: {before!r} → "
        f"'file "
    )


def test_a_run_cannot_begin_without_the_file(pretrained, weights, train):
    weights.unlink()
    (error,) = train(pretrained, **ONLY).failed.values()
    assert error.where == f"{pretrained}, model.weights"
    assert error.message == f"the weights file {str(weights)!r} does not exist."


def test_another_file_that_is_gone_is_another_training(pretrained, weights, train, tmp_path):
    (folder,) = train(pretrained, **ONLY).done
    text = pretrained.read_text("utf-8").replace("w.pth", "other.pth")
    pretrained.write_text(text, "utf-8")
    (error,) = train(pretrained, **ONLY).failed.values()
    assert f"→ '{tmp_path / 'other.pth'} (missing)'" in error.message
    assert error.where == str(folder)


def test_a_recipe_may_say_what_the_file_holds(pretrained):
    with pytest.raises(RecipeError) as refused:
        plan(pretrained, **ONLY, overrides=("model.weights_digest=abc",))
    assert "model.weights_digest: " in str(refused.value)
    (run,) = plan(pretrained, **ONLY, overrides=(f"model.weights_digest={'0' * 16}",))
    with pytest.raises(moat.errors.ModelError) as unlike:
        initial_model(run, run.dataset.load())
    assert unlike.value.message.endswith(f"and the recipe says {'0' * 16}.")
    assert unlike.value.where.endswith("model.weights")
