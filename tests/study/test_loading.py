import json
import sys
from pathlib import Path

import pytest
import torch

import moat
from moat.errors import InputError, RunFolderError
from moat.runs import RunFolder
from moat.study import plan
from moat.study.loading import plan_of
from moat.study.one_run import initial_model
from moat.study.own_protocol import evaluate_run

AGAIN = "`moat train` with --overwrite trains this run again."


@pytest.fixture
def run(recipe, trained):
    """The folder of one finished run."""
    return trained(recipe(), "pgd-at")[0]


def test_a_trained_model_is_loaded_with_its_weights_for_evaluation(run):
    model = moat.load(run)
    assert not model.training
    kept = RunFolder(run).load_model()
    assert kept.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, kept[name])
    assert model(torch.rand(3, 1, 8, 8)).shape == (3, 10)


def test_a_run_that_is_evaluated_again_is_read_once_and_its_new_record_once(run, monkeypatch):
    opened = []
    read = Path.read_text

    def counted(path, *arguments, **more):
        opened.append(path)
        return read(path, *arguments, **more)

    monkeypatch.setattr(Path, "read_text", counted)
    evaluate_run(run, "cpu")
    assert opened.count(run / "run.json") == 2


def test_a_path_may_be_text_and_a_device_may_be_named(run):
    model = moat.load(str(run), device="cpu")
    assert next(model.parameters()).device == torch.device("cpu")


def test_a_device_may_be_chosen_and_one_that_is_not_here_is_refused(run):
    assert next(moat.load(run, "auto").parameters()).device.type in ("cpu", "cuda")
    for device in ("gpu", "", "cuda:99"):
        with pytest.raises(
            InputError, match="the model cannot be brought to the device"
        ) as refused:
            moat.load(run, device)
        assert '"cpu", "cuda", "cuda:1" or "auto"' in refused.value.hint


def test_loading_does_not_need_the_data(recipe, trained):
    path = recipe()
    (folder,) = trained(path, "plain")
    (planned,) = plan(path, only=("plain",))
    shapes = {
        k: v.shape for k, v in initial_model(planned, planned.dataset.load()).state_dict().items()
    }
    path.unlink()  # nor the recipe of the study
    assert {k: v.shape for k, v in moat.load(folder).state_dict().items()} == shapes


def test_a_folder_without_a_finished_run_has_no_model(tmp_path):
    with pytest.raises(RunFolderError) as refused:
        moat.load(tmp_path / "nowhere")
    assert str(refused.value).startswith(f"{tmp_path / 'nowhere'}: the folder does not exist.")
    with pytest.raises(RunFolderError) as refused:
        moat.load(tmp_path)
    assert str(refused.value).startswith(
        f"{tmp_path}: the folder has no finished run (no run.json)."
    )


def test_a_run_from_before_samples_were_drawn_took_the_first_examples(run):
    folder = RunFolder(run)
    recipe = folder.read_recipe()
    assert recipe["evaluation"].pop("sample") == "stratified"
    drawn = plan_of(folder).protocol
    folder.write_recipe(recipe)
    assert (drawn.sample, plan_of(folder).protocol.sample) == ("stratified", "first")


def test_a_run_without_its_recipe_cannot_be_loaded(run):
    (run / "recipe.toml").unlink()
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    assert str(refused.value) == (
        f"{run}: the training settings of the run are unknown: recipe.toml is missing.\n  {AGAIN}"
    )


def test_a_recipe_that_cannot_be_read_is_named(run):
    (run / "recipe.toml").write_text("[data\n", "utf-8")
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    assert str(refused.value).startswith(
        f"{run / 'recipe.toml'}: this is not valid TOML: Expected ']' at the end"
    )
    assert str(refused.value).endswith(AGAIN)


def test_a_run_without_its_weights_cannot_be_loaded(run):
    (run / "model.safetensors").unlink()
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    message = "the run's trained weights are missing."
    assert str(refused.value) == f"{run}: {message}\n  {AGAIN}"


def test_weights_of_another_network_are_refused_where_no_digest_was_kept(run):
    record = json.loads((run / "run.json").read_text("utf-8"))
    del record["files"]
    (run / "run.json").write_text(json.dumps(record), "utf-8")
    RunFolder(run).save_model({"weight": torch.zeros(3)})
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    assert refused.value.message == (
        "the trained weights do not fit the network: 8 keys missing: 0.weight, 0.bias, 2.weight "
        "and 5 more; 1 foreign: weight."
    )
    assert (refused.value.where, refused.value.hint) == (str(run), AGAIN)


def test_a_count_of_classes_that_does_not_fit_the_weights_is_said_by_its_shapes(run):
    file = run / "run.json"
    record = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**record, "classes": 7}), "utf-8")
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    assert refused.value.message == (
        "the trained weights do not fit the network: 2 of another shape: 10.weight (10, 32) and "
        "not (7, 32), 10.bias (10,) and not (7,)."
    )


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("shape", 8, "list"), ("classes", "ten", "int"), ("trains", [], "dict")],
)
def test_a_record_that_is_not_moats_is_refused(run, key, value, kind):
    file = run / "run.json"
    record = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**record, key: value}), "utf-8")
    with pytest.raises(RunFolderError) as refused:
        moat.load(run)
    where = run / "run.json"
    assert str(refused.value).startswith(
        f"{where}: its record is not moat's: {key} is {value!r} and should be of type {kind}.\n"
    )
    assert "--overwrite" in str(refused.value)


def test_a_model_of_ones_own_is_loaded_again(recipe, train, tmp_path, monkeypatch):
    text = """
from torch import nn

def make(hidden):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
"""
    (tmp_path / "moat_test_own.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:moat_test_own:make"\nhidden = 4')
    (folder,) = train(path, only=("plain",)).done
    try:
        weights = moat.load(folder).state_dict()
    finally:
        sys.modules.pop("moat_test_own", None)
    assert weights["1.weight"].shape == (4, 64)
