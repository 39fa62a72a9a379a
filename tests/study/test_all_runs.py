import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from moat import study, threats
from moat.errors import BusyError, DataError, DiskError, MoatError, TrainingError
from moat.events import Note, RunEnd, RunHold, TrainingStep
from moat.runs import RunFolder
from moat.study import plan

FILES = {
    *("recipe.toml", "run.json", "log.jsonl", "checkpoint.pt", "model.safetensors"),
    *("evaluation.npz", "evaluation.json", "gallery.npz", "clock.json"),
}
PLAIN, PGD_AT = Path("study", "plain", "seed-0"), Path("study", "pgd-at", "seed-0")
PARETO = Path("study", "pareto", "r=0.5", "seed-0")
ALL = [PLAIN, PGD_AT, PARETO, Path("study", "pareto", "r=1.0", "seed-0")]
OTHERWISE = (
    "Nothing was overwritten. Name another --results folder, undo the change, or train this run "
    "again with --overwrite."
)


def only_failure(result) -> MoatError:
    (error,) = result.failed.values()
    return error


def but_why_it_failed(files: dict) -> dict:
    """Return what lies in a folder without the file that says why a run failed."""
    return {name: entry for name, entry in files.items() if not name.endswith("failed.json")}


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


# what is done, and what is not done again


def test_a_study_leaves_a_folder_a_run_and_does_nothing_twice(
    recipe, train, results, watch, snapshot
):
    path, first, second = recipe(), watch(), watch()
    result = train(path, listener=first)
    assert result.folder == results / "study"
    assert result.done == [results / run for run in ALL]
    assert all({f.name for f in run.iterdir()} == {*FILES, ".lock"} for run in result.done)
    labels = ["plain", "pgd-at", "pareto r=0.5", "pareto r=1.0"]
    ended = [(how, label) for label in labels for how in ("started", "done")]
    assert first.heard == [("study", 4), *ended]

    before = snapshot(results)
    again = train(path, listener=second)
    assert (again.done, again.skipped, again.failed) == ([], result.done, {})
    assert snapshot(results) == before
    assert second.heard == [("study", 4), *(("skipped", label) for label in labels)]


def test_what_is_added_never_touches_what_is_finished(recipe, train, results, snapshot):
    train(recipe("[0.5, 1.0]", "[0.5]"))
    before = snapshot(results)
    del before["study/study.json"]  # the list of the planned runs
    more = '\n[[variant]]\nname = "more"\nthreats = ["flow"]\n'
    path = recipe("[0.5, 1.0]", "[0.5, 2.0]", more=more)
    replace_in(path, "[data]", "seeds = [0, 1]\n[data]")
    result = train(path, only=("pareto", "more", "plain"))
    assert len(result.done) == 6
    assert sorted(result.skipped) == sorted([results / PLAIN, results / PARETO])
    after = snapshot(results)
    assert before.items() <= after.items()


def test_a_changed_protocol_is_evaluated_without_training(
    recipe, train, trained, results, snapshot
):
    trained(recipe(), "pgd-at")
    before = snapshot(results / PGD_AT)
    path = recipe("at_steps = [1, 2]", "at_steps = [1, 2, 3]")
    result = train(path, only=("pgd-at",))
    after = snapshot(results / PGD_AT)
    assert result.done == [results / PGD_AT]
    for name in ("model.safetensors", "checkpoint.pt", "log.jsonl"):
        assert after[name] == before[name]
    record = RunFolder(results / PGD_AT).read_record()
    assert list(record.scores["accuracy"]["pgd"]) == ["1", "2", "3"]
    assert record.protocol.threats["pgd"].strengths == (1, 2, 3)
    assert train(path, only=("pgd-at",)).skipped == [results / PGD_AT]
    fresh = train(path, only=("pgd-at",), results=results.parent / "fresh").done[0]
    assert (fresh / "evaluation.npz").read_bytes() == after["evaluation.npz"][0]


def test_an_evaluation_that_is_missing_is_made_again_without_training(
    recipe, train, trained, results
):
    trained(recipe(), "plain")
    folder = results / PLAIN
    before = {name: (folder / name).stat().st_mtime_ns for name in ("model.safetensors",)}
    scores = (folder / "evaluation.npz").read_bytes()
    (folder / "evaluation.npz").unlink()
    assert train(recipe(), only=("plain",)).done == [folder]
    assert (folder / "evaluation.npz").read_bytes() == scores
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before


def test_a_schedule_with_milestones_is_known_again(recipe, train, trained):
    path = recipe(
        "[threats.pgd]", '[schedule]\ntype = "multi-step"\nmilestones = [1]\n[threats.pgd]'
    )
    trained(path, "plain")
    assert train(path, only=("plain",)).skipped


def test_runs_are_picked(recipe, train, results):
    path = recipe("[data]", "seeds = [0, 1]\n[data]")
    result = train(path, only=("plain",), seeds=(1,))
    assert result.done == [results / "study" / "plain" / "seed-1"]
    assert not (results / "study" / "pareto").exists()


def test_a_trial_has_a_folder_of_its_own(recipe, train, trained, results, snapshot):
    path = recipe()
    trained(path, "pgd-at")
    before = snapshot(results)
    trial = train(path, only=("pgd-at",), overrides=("threats.pgd.train.epsilon=0.2",))
    assert trial.folder.parent == results
    assert trial.folder.name.startswith("study+")
    record = RunFolder(trial.done[0]).read_record()
    assert record.trains["threats"]["pgd"]["epsilon"] == 0.2
    assert record.protocol.threats["pgd"].epsilon == 0.1
    assert before.items() <= snapshot(results).items()


def test_another_study_in_the_same_folder_stays_as_it_is(recipe, train, trained, results, snapshot):
    trained(recipe(name="one.toml"), "plain")
    (results / "notes.txt").write_text("mine", "utf-8")
    before = snapshot(results)
    train(recipe(name="two.toml"), only=("plain",), overwrite=True)
    assert before.items() <= snapshot(results).items()


def test_a_recipe_that_does_not_hold_together_trains_nothing_and_makes_nothing(
    recipe, train, results
):
    with pytest.raises(MoatError, match="unknown key"):
        train(recipe("window = 3", "windwo = 3"))
    assert not results.exists()


def test_planning_makes_nothing(recipe, results):
    assert [p.label for p in plan(recipe(), only=("pareto",))] == ["pareto r=0.5", "pareto r=1.0"]
    assert not results.exists()


# a folder that holds something else


def test_a_finished_run_that_was_trained_otherwise_is_left_alone_and_the_others_go_on(
    recipe, train, trained, results, snapshot
):
    trained(recipe(), "plain", "pgd-at")
    before = snapshot(results)
    path = recipe("epsilon = 0.1", "epsilon = 0.2")
    replace_in(path, "examples = 40", "examples = 41")
    result = train(path)
    assert str(only_failure(result)) == (
        f"{results / PGD_AT}: the folder contains a run with other training settings: "
        f"threats.pgd.epsilon: 0.1 → 0.2.\n  {OTHERWISE}"
    )
    assert only_failure(result).exit_code == 2
    assert len(result.done) == 3  # the plain one is evaluated anew
    after = but_why_it_failed(snapshot(results))
    kept = {name: entry for name, entry in after.items() if "pgd-at" in name}
    assert kept == {name: entry for name, entry in before.items() if "pgd-at" in name}


def test_every_change_is_said(recipe, train, trained, results):
    trained(recipe(), "pareto")
    path = recipe("window = 3", "window = 4")
    replace_in(path, '"sgd"\nlr = 0.5', '"adamw"\nlr = 0.2')
    replace_in(path, '["pgd", "flow"]', '["pgd"]')
    for error in train(path, only=("pareto",)).failed.values():
        changed = error.message.removeprefix(
            "the folder contains a run with other training settings: "
        )
        assert {
            "optimizer.type: 'sgd' → 'adamw'",
            "optimizer.lr: 0.5 → 0.2",
            "optimizer.momentum: 0.0 → absent",
            "optimizer.beta1: absent → 0.9",
            "scalarizer.window: 3 → 4",
        } <= set(changed.removesuffix(".").split("; "))
        assert "threats.flow: {" in changed


def test_an_unfinished_run_that_was_trained_otherwise_is_left_alone(
    recipe, train, results, snapshot, unfinished
):
    unfinished()  # in the second epoch: there is a checkpoint
    before = snapshot(results / PLAIN)
    assert {"checkpoint.pt", "recipe.toml"} <= set(before)
    result = train(recipe("epochs = 1", "epochs = 3"), only=("plain",))
    assert only_failure(result).message.endswith("other training settings: training.epochs: 2 → 3.")
    assert but_why_it_failed(snapshot(results / PLAIN)) == before


def test_a_run_that_trained_nothing_yet_does_not_stand_in_the_way(recipe, train, watch):
    with pytest.raises(watch.Killed):  # in the first epoch
        train(recipe(), only=("plain",), listener=watch(dies_at=2))
    assert train(recipe("width = 4", "width = 3"), only=("plain",)).done


def test_overwrite_trains_again_what_was_trained_otherwise_and_nothing_else(
    recipe, train, trained, results, snapshot
):
    trained(recipe(), "plain", "pgd-at")
    (results / PGD_AT / "notes.txt").write_text("mine", "utf-8")
    before = snapshot(results)
    path = recipe("epsilon = 0.1", "epsilon = 0.02")
    replace_in(path, "[threats.pgd]", "[threats.pgd]\nevaluate.epsilon = 0.1")
    replace_in(path, "evaluate = { at_steps = [1, 2] }", "evaluate.at_steps = [1, 2]")
    result = train(path, only=("plain", "pgd-at"), overwrite=True)
    assert (result.done, result.skipped) == ([results / PGD_AT], [results / PLAIN])
    after = snapshot(results)
    plain = {name: entry for name, entry in before.items() if "plain" in name}
    assert plain.items() <= after.items()
    name = str(PGD_AT / "model.safetensors")
    assert after[name][0] != before[name][0]
    assert (results / PGD_AT / "notes.txt").read_text("utf-8") == "mine"
    assert (
        json.loads((results / PGD_AT / "log.jsonl").read_text("utf-8").splitlines()[0])["step"] == 2
    )


# files that cannot be read

BREAK = {
    "truncated": lambda content: content[: len(content) // 2],
    "foreign": lambda content: b"\x00 no file of moat's",
    "empty": lambda content: b"",
}
breaks = pytest.mark.parametrize("how", BREAK)


@breaks
@pytest.mark.parametrize(
    "name", ["run.json", "model.safetensors", "evaluation.npz", "evaluation.json", "recipe.toml"]
)
def test_a_broken_file_of_a_finished_run_is_named_and_mended_only_by_overwrite(
    recipe, train, trained, results, snapshot, name, how
):
    path, folder = recipe(), results / PLAIN
    trained(path, "plain")
    good = snapshot(folder)
    content = BREAK[how]((folder / name).read_bytes())
    if name == "recipe.toml" and how != "foreign":
        content = b"seeds = [\n"  # half a recipe may well be one
    (folder / name).write_bytes(content)
    before = snapshot(folder)

    result = train(path, only=("plain",))
    assert str(only_failure(result)).startswith(f"{folder / name}: the file is truncated or not")
    mend = "moat evaluate" if name.startswith("evaluation.") else "--overwrite"
    assert mend in only_failure(result).hint
    assert only_failure(result).exit_code == 2
    assert but_why_it_failed(snapshot(folder)) == before

    assert train(path, only=("plain",), overwrite=True).done == [folder]
    after = snapshot(folder)
    for weights in ("model.safetensors", "evaluation.npz", "recipe.toml"):
        assert after[weights][0] == good[weights][0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("checkpoint.pt", b"half a checkp", "the file is truncated or not moat's"),
        ("recipe.toml", b"seeds = [", "this is not valid TOML"),
        ("recipe.toml", b'title = "of something else"', "unknown key."),
        ("log.jsonl", b'{"step": 1}\n{"ste\n{"step": 2}\n', "the file is truncated or not moat's"),
    ],
)
def test_a_broken_file_of_an_unfinished_run_is_named_and_mended_only_by_overwrite(
    recipe, train, results, snapshot, name, content, message, unfinished
):
    path, folder = unfinished(), results / PLAIN
    (folder / name).write_bytes(content)
    before = snapshot(folder)
    error = only_failure(train(path, only=("plain",)))
    assert error.where.startswith(str(folder / name))
    assert error.message.startswith(message)
    assert "--overwrite" in error.hint
    after = but_why_it_failed(snapshot(folder))
    assert after | {"recipe.toml": before["recipe.toml"]} == before
    assert train(path, only=("plain",), overwrite=True).done == [folder]
    assert [r["step"] for r in RunFolder(folder).read_log()] == [2, 4, 6, 8, 10, 12]


def test_a_checkpoint_of_something_else_is_named_and_mended_only_by_overwrite(
    train, results, unfinished
):
    path, folder = unfinished(), RunFolder(results / PLAIN)
    folder.save_checkpoint({"weights": torch.zeros(3)})
    error = only_failure(train(path, only=("plain",)))
    assert error.where == str(folder.checkpoint)
    assert error.message.startswith("the checkpoint does not fit this run")
    assert train(path, only=("plain",), overwrite=True).done == [folder.path]


def test_a_checkpoint_that_nothing_explains_is_not_trained_on(recipe, train, results, unfinished):
    path, folder = unfinished(), results / PLAIN
    (folder / "recipe.toml").unlink()
    assert str(only_failure(train(path, only=("plain",)))) == (
        f"{folder}: the training settings of the run are unknown: recipe.toml is missing.\n"
        "  `moat train` with --overwrite trains this run again."
    )
    assert train(path, only=("plain",), overwrite=True).done == [folder]


def test_a_recipe_of_several_runs_is_no_recipe_of_a_run(recipe, train, results, unfinished):
    path, folder = unfinished(), results / PLAIN
    (folder / "recipe.toml").write_text(path.read_text("utf-8"), "utf-8")
    assert str(only_failure(train(path, only=("plain",)))).startswith(
        f"{folder / 'recipe.toml'}: the recipe of a run describes one run, not  4."
    )


@pytest.mark.parametrize("key", ["trains", "protocol_hash", "shape", "classes"])
def test_a_record_that_lacks_something_is_not_trusted(recipe, train, trained, results, key):
    path, folder = recipe(), results / PLAIN
    trained(path, "plain")
    record = json.loads((folder / "run.json").read_text("utf-8"))
    del record[key]
    (folder / "run.json").write_text(json.dumps(record), "utf-8")
    error = only_failure(train(path, only=("plain",)))
    assert error.message.startswith(f"its record is not moat's: {key} is missing.")
    assert error.where == str(folder / "run.json")
    assert train(path, only=("plain",), overwrite=True).done == [folder]


# what fails in the middle


def test_a_loss_that_is_not_finite_fails_its_run_and_the_others_go_on(recipe, train, results):
    path = recipe("[0.5, 1.0]", '[0.5], "optimizer.lr" = [1e30, 0.1]')
    replace_in(path, "epochs = 1", "epochs = 2")
    result = train(path)
    error = only_failure(result)
    assert isinstance(error, TrainingError)
    assert error.exit_code == 1
    folder = results / "study" / "pareto" / "r=0.5,lr=1e+30" / "seed-0"
    assert error.where == f"{folder}, step 2"
    assert "the loss of the objective 'natural' is no longer finite" in error.message
    assert "No checkpoint exists, because no epoch was finished." in error.hint
    assert "A lower learning rate is the usual mend." in error.hint
    assert len(result.done) == 3


def test_a_loss_that_is_not_finite_names_the_last_good_checkpoint(recipe, train, results, watch):
    class Spoil(watch):
        """Makes the network explode in the second epoch."""

        def __call__(self, event):
            if isinstance(event, TrainingStep) and event.step == 8:
                with torch.no_grad():
                    for tensor in live:
                        tensor.fill_(float("nan"))

    live = []
    path = recipe("epochs = 1", "epochs = 2")
    build = torch.optim.SGD.__init__

    def remember(self, parameters, **keys):
        live.extend(parameters)
        build(self, live, **keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.SGD, "__init__", remember)
        error = only_failure(train(path, only=("plain",), listener=Spoil()))
    checkpoint = results / PLAIN / "checkpoint.pt"
    assert error.where == f"{results / PLAIN}, step 9"
    assert f"The checkpoint of epoch 1 is kept: {checkpoint}" in error.hint
    assert checkpoint.exists()


def test_weights_that_are_not_finite_are_not_taken_for_a_trained_model(recipe, train, results):
    path = recipe("batch_size = 256", "batch_size = 2000")  # one step, its loss is finite
    set_ = ("optimizer.lr=3e38", "optimizer.weight_decay=1e3")
    result = train(path, only=("plain",), overrides=set_)
    error = only_failure(result)
    assert isinstance(error, TrainingError)
    assert error.message == "the trained weights are not finite: 0.weight."
    assert not (result.folder / "plain" / "seed-0" / "model.safetensors").exists()


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A threat in a local file that fails when it is searched."""
    entries = dict(threats.registry._entries)
    monkeypatch.setattr(threats.registry, "_entries", entries)
    path = tmp_path / "mine.py"
    text = """
from moat.threats import Threat, threat

@threat("broken")
class Broken(Threat):
    def perturb(self, model, x, y, *, generator=None):
        raise IndexError("far out")
"""
    path.write_text(text, "utf-8")
    return path


def test_an_error_of_a_plugin_fails_its_run_and_the_others_go_on(recipe, train, results, plugin):
    more = '\n[threats.broken]\n[[variant]]\nname = "fails"\nthreats = ["broken"]\n'
    path = recipe(more=more)
    replace_in(path, "[data]", 'plugins = ["mine.py"]\n[data]')
    result = train(path, only=("fails", "plain"))
    error = only_failure(result)
    assert list(result.failed) == [results / "study" / "fails" / "seed-0"]
    assert str(error) == (f"IndexError: far out\n  Raised by perturb in line 7 of {plugin}.")
    assert isinstance(error.__cause__, IndexError)
    assert error.exit_code == 1
    assert result.done == [results / PLAIN]


# models of one's own


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module with networks of the user's own."""
    text = """
from torch import nn

def make(hidden=4):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

def three():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

def fails():
    raise ValueError("oops")

def number():
    return 3
"""
    (tmp_path / "moat_test_nets.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "python:moat_test_nets:"
    sys.modules.pop("moat_test_nets", None)


def test_a_model_of_ones_own_is_trained(recipe, train, nets):
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{nets}make"\nhidden = 5')
    (folder,) = train(path, only=("pgd-at",)).done
    weights = RunFolder(folder).load_model()
    assert weights["1.weight"].shape == (5, 64)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ('make"\nhiden = 5\nx = "', "cannot be called with {'hiden': 5"),
        ("maek", "has no 'maek'. Did you mean 'make'?"),
        ("number", "returned int, not an nn.Module."),
        ("fails", "ValueError: oops"),
        (
            "three",
            "the model returns 3 logits for each image, but the data have 10 classes.",
        ),
    ],
)
def test_a_model_of_ones_own_that_does_not_fit_is_refused(recipe, train, nets, name, message):
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{nets}{name}"')
    error = only_failure(train(path, only=("plain",)))
    assert error.where == f"{path}, model"
    assert message in error.message


def test_a_module_that_is_not_there_is_refused_with_what_to_do(recipe, train):
    path = recipe('"tiny-cnn"\nwidth = 4', '"python:no_such_module_at_all:make"')
    error = only_failure(train(path, only=("plain",)))
    assert str(error) == (
        f"{path}, model: 'python:no_such_module_at_all:make' names the module "
        "'no_such_module_at_all', which cannot be imported: ModuleNotFoundError: No module named "
        "'no_such_module_at_all'\n"
        "  Install it, or run the command from the folder in which the module stands."
    )


def test_a_model_that_does_not_fit_the_images_is_refused(recipe, train):
    path = recipe('"tiny-cnn"\nwidth = 4', '"small-cnn"')
    error = only_failure(train(path, only=("plain",)))
    assert error.where == f"{path}, model"
    assert error.message.startswith("the model 'small-cnn' needs images of at least")
    assert "data.size" in error.hint


# what the machine lacks


def test_missing_data_says_which_folder_was_looked_in_and_what_to_do(recipe, train, tmp_path):
    path = recipe('"digits"', '"mnist"\nroot = "../files"', name="sub/study.toml")
    result = train(path, only=("plain", "pareto"))
    assert len(result.failed) == 3
    for error in result.failed.values():
        assert isinstance(error, DataError)
        assert error.where == f"{path}, data"
        assert error.message.startswith(f"no readable MNIST in {str(tmp_path / 'files')!r}: ")
        assert "data.root" in error.hint
        assert "data.download = true" in error.hint


def test_a_share_that_leaves_nothing_to_train_on_is_refused(recipe, train):
    path = recipe("[model]", "validation = 0.999\n[model]")
    error = only_failure(train(path, only=("plain",)))
    assert error.where == f"{path}, data"
    assert "too few to hold out" in error.message


def test_a_device_that_is_absent_is_refused_before_anything_is_trained(
    recipe, train, results, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MoatError, match="no CUDA device was found"):
        train(recipe(), device="cuda")
    assert not results.exists()


def test_a_results_folder_that_cannot_be_written_is_refused_before_anything_is_trained(
    recipe, train, tmp_path, watch
):
    path, listener = recipe(), watch()
    with pytest.raises(DiskError) as refused:
        train(path, results=path / "below a file", listener=listener)
    assert str(refused.value) == (
        f"{path / 'below a file' / 'study'}: cannot write: Not a directory.\n"
        "  Name a folder you may write to with --results."
    )
    assert refused.value.exit_code == 2
    assert listener.heard == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("after", [0, 3, 6])
def test_a_full_disk_is_named_and_the_run_goes_on_where_it_was(
    recipe, train, results, monkeypatch, call, after
):
    path = recipe("epochs = 1", "epochs = 3")
    whole = train(path, only=("plain",), results=results.parent / "whole").done[0]
    calls = 0
    write = getattr(os, call)

    def fill(*args, **keys):
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(*args, **keys)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fill)
        error = only_failure(train(path, only=("plain",)))
    assert isinstance(error, DiskError)
    assert error.where.startswith(str(results / PLAIN))
    assert error.message == "cannot write: the disk is full."
    assert error.hint == ("Free some space, then run the same command again: no file is lost.")
    assert not [f for f in (results / PLAIN).iterdir() if f.suffix == ".tmp"]
    assert train(path, only=("plain",)).done == [results / PLAIN]
    weights = (results / PLAIN / "model.safetensors").read_bytes()
    assert weights == (whole / "model.safetensors").read_bytes()


def test_a_disk_that_refuses_in_the_middle_of_a_checkpoint_is_named(tmp_path):
    resource = pytest.importorskip("resource")  # what the kernel refuses, not a stand-in for it
    folder, state = RunFolder(tmp_path), {"weights": torch.rand(5000)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(DiskError) as refused:
            folder.save_checkpoint(state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refused.value.message == "cannot write: File too large."
    assert refused.value.where == str(tmp_path / "checkpoint.pt")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def holding(folder):
    """Have another process hold the lock of a run's folder, until it reads a line."""
    hold = f"from filelock import FileLock; lock = FileLock({str(folder / '.lock')!r}); "
    command = [sys.executable, "-c", hold + "lock.acquire(); print(flush=True); input()"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        other.stdout.readline()
        yield other
        if other.poll() is None:
            other.communicate("\n")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_that_another_process_writes_is_left_to_it(recipe, train, results, overwrite):
    folder = results / PLAIN
    folder.mkdir(parents=True)
    with holding(folder):
        result = train(recipe(), only=("plain", "pgd-at"), overwrite=overwrite)
    assert result.failed == {}
    assert list(result.held) == [folder]
    assert isinstance(result.held[folder], BusyError)
    assert result.held[folder].message.startswith("another process is writing this run: process")
    assert result.done == [results / PGD_AT]
    assert RunFolder(folder).read_failure() is None


def test_a_run_that_was_held_is_asked_for_again_at_the_end(recipe, train, results):
    folder = results / PLAIN
    folder.mkdir(parents=True)
    with holding(folder) as other:
        held = []

        def let_go(event):
            match event:
                case RunHold(label=label):
                    held.append(label)
                case RunEnd(label="pgd-at"):
                    other.communicate("\n")

        result = train(recipe(), only=("plain", "pgd-at"), listener=let_go)
    assert held == ["plain"]
    assert (result.failed, result.held) == ({}, {})
    assert result.done == [results / PGD_AT, folder]


def test_every_failure_is_heard(recipe, train, watch):
    listener = watch()
    path = recipe('"digits"', '"mnist"\nroot = "nowhere"')
    train(path, only=("plain", "pgd-at"), listener=listener)
    labels = ["plain", "pgd-at"]
    ended = [(how, label) for label in labels for how in ("started", "failed")]
    assert listener.heard == [("study", 2), *ended]


def test_a_network_whose_code_changed_is_loaded_as_it_was_and_not_taken_for_the_trained_one(
    recipe, train, nets, tmp_path
):
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{nets}make"\nhidden = 5')
    (folder,) = train(path, only=("pgd-at",)).done
    source = tmp_path / "moat_test_nets.py"
    source.write_text(source.read_text("utf-8").replace("nn.ReLU()", "nn.Tanh()"), "utf-8")
    assert "ReLU()" in str(study.load(folder))  # the run keeps the code that it was trained with
    assert "trains" not in str(only_failure(train(path, only=("pgd-at",))))
    assert "model.source" in str(only_failure(train(path, only=("pgd-at",))))


def test_trained_weights_that_are_missing_are_made_again_only_by_overwrite(
    recipe, train, trained, results
):
    path = recipe()
    trained(path, "plain")
    weights = results / PLAIN / "model.safetensors"
    good = weights.read_bytes()
    weights.unlink()
    assert "--overwrite" in str(only_failure(train(path, only=("plain",))))
    train(path, only=("plain",), overwrite=True)
    assert weights.read_bytes() == good


def test_the_order_of_the_threats_identifies_a_run(recipe):
    one, two = (
        study.plan(recipe('["pgd", "flow"]', order, name=f"{number}.toml"), only=["pareto"])[0]
        for number, order in enumerate(('["pgd", "flow"]', '["flow", "pgd"]'))
    )
    assert one.train_hash != two.train_hash


def test_what_is_not_compiled_is_said_once_a_study(recipe, train):
    heard = []
    path = recipe("epochs = 1", 'epochs = 1\ncompile = "graph"')
    train(path, only=("plain", "pgd-at"), listener=heard.append)
    (note,) = [event for event in heard if isinstance(event, Note)]
    assert note.text == "training.compile: a CPU neither captures nor compiles."
    assert note.run.parent.name == "plain"
