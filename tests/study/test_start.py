"""Runs that start from others: order, identity, faults, resumption, parallel runs."""

import shutil
from pathlib import Path

import pytest

from moat import study
from moat.errors import BusyError, StartError
from moat.events import StudyNote
from moat.runs import RunFolder

SMALL = Path(__file__).parents[1] / "small.toml"
HEAD = (
    SMALL.read_text("utf-8").partition("[[variant]]")[0].replace("examples = 40", "examples = 20")
)
PATH = """
[[variant]]
name = "path"
threats = ["pgd"]
scalarizer = { type = "two-moment", window = 3 }
path = { "scalarizer.rho" = [0.0, 0.3, 0.6] }
"""
TEXT = HEAD.replace('type = "digits"', 'type = "digits"\ntrain_examples = 512') + PATH
LABELS = ["path rho=0.0", "path rho=0.3", "path rho=0.6"]
SAME = ("recipe.toml", "model.safetensors", "evaluation.npz", "evaluation.json", "gallery.npz")
"""Files in which no time stands."""


@pytest.fixture
def path_recipe(tmp_path):
    """Write a small study that is one path, with a piece of its text replaced."""

    def write(old="", new=""):
        assert old in TEXT
        file = tmp_path / "study.toml"
        file.write_text(TEXT.replace(old, new, 1), "utf-8")
        return file

    return write


@pytest.fixture
def path_study(path_recipe, results, shared_folder):
    """Lay down the finished path; return its recipe and the folders of its runs."""

    def fill(folder: Path) -> None:
        done = study.train(path_recipe(), results=folder, device="cpu").done
        assert len(done) == 3

    shutil.copytree(shared_folder("path", fill), results)
    return path_recipe(), folders(results)


def folders(results: Path) -> list[RunFolder]:
    names = ("rho=0.0", "rho=0.3", "rho=0.6")
    return [RunFolder(results / "study" / "path" / name / "seed-0") for name in names]


def files_of(runs: list[RunFolder]) -> dict[str, bytes]:
    return {
        f"{n} {name}": (r.path / name).read_bytes() for n, r in enumerate(runs) for name in SAME
    }


def without(run: RunFolder) -> None:
    """Forget that a run was ever trained."""
    shutil.rmtree(run.path)


def test_a_leg_begins_with_the_weights_of_the_leg_before(path_study):
    _, runs = path_study
    trunk, leg, last = (run.read_record() for run in runs)
    assert trunk.start is None
    assert (leg.start.place, last.start.place) == (
        "study/path/rho=0.0/seed-0",
        "study/path/rho=0.3/seed-0",
    )
    assert leg.start.training == trunk.train_hash
    assert last.start.training == leg.train_hash
    assert [run.read_log()[0].get("start", {}).get("weights") for run in runs] == [
        None,
        leg.start.weights,
        last.start.weights,
    ]


def test_the_passes_of_a_path_add_up(path_study):
    records = [run.read_record() for run in path_study[1]]
    own = [record.training["passes"] for record in records]
    assert [record.passes_to_here for record in records] == [sum(own[: n + 1]) for n in range(3)]


def test_a_finished_path_is_skipped(path_study, train):
    result = train(path_study[0])
    assert (len(result.skipped), result.done, result.failed) == (3, [], {})


def test_one_leg_alone_trains_the_missing_ones_before_it_and_says_so(path_study, train, results):
    recipe, runs = path_study
    whole = files_of(runs)
    for run in runs[1:]:
        without(run)
    notes = []
    result = train(
        recipe,
        only=["path rho=0.6"],
        listener=lambda e: notes.append(e.text) if isinstance(e, StudyNote) else None,
    )
    assert len(result.done) == 2
    assert len(result.skipped) == 1
    assert "Trained as well, because the chosen runs start from them: path rho=0.3." in notes
    assert files_of(runs) == whole


def test_a_trunk_of_other_settings_makes_all_legs_other_runs(path_recipe):
    one = study.plan(path_recipe())
    other = study.plan(path_recipe("lr = 0.5", "lr = 0.4"))
    assert all(a.train_hash != b.train_hash for a, b in zip(one, other, strict=True))
    assert [plan.label for plan in one] == LABELS


def test_a_leg_is_refused_once_its_start_has_other_weights(path_study, train):
    recipe, runs = path_study
    shutil.copy(runs[2].path / "model.safetensors", runs[1].path / "model.safetensors")
    record = runs[1].read_record()
    runs[1].save_model(runs[0].load_model(), record.train_hash)
    result = train(recipe, only=["path rho=0.6"])
    error = result.failed[runs[2].path]
    assert "the run that it started from has other weights now: digest" in error.message
    assert "--overwrite" in error.hint


def test_overwriting_a_leg_trains_the_later_ones_anew(path_study, train):
    recipe, runs = path_study
    whole = files_of(runs)
    runs[1].save_model(runs[0].load_model(), "0123456789abcdef")
    result = train(recipe, overwrite=True)
    assert not result.failed
    assert files_of(runs) == whole


def test_the_legs_after_a_failed_one_are_not_started_and_say_why(path_study, train, monkeypatch):
    recipe, runs = path_study
    for run in runs:
        without(run)
    monkeypatch.setattr(study.one_run, "fit", lambda *_: 1 / 0)
    result = train(recipe)
    trunk, leg, last = (result.failed[run.path] for run in runs)
    assert "division by zero" in trunk.message
    assert isinstance(leg, StartError)
    assert isinstance(last, StartError)
    why = "not started, because a run that it starts from failed: "
    assert leg.message.startswith(f"{why}{runs[0].path}: ZeroDivisionError")
    assert last.message == leg.message
    assert runs[2].read_failure()["message"] == leg.message


def test_legs_of_a_trunk_in_another_process_are_held(path_study, train):
    recipe, runs = path_study
    for run in runs:
        without(run)
    with runs[0].locked():
        result = train(recipe)
    assert not result.failed
    assert set(result.held) == {run.path for run in runs}
    assert "another process trains a run that it starts from" in result.held[runs[2].path].message
    assert isinstance(result.held[runs[1].path], BusyError)


def test_a_killed_leg_resumes_byte_for_byte(path_study, train, watch, path_recipe):
    recipe = path_recipe("epochs = 1", "epochs = 8")  # a leg has two
    runs = path_study[1]
    for run in runs:
        without(run)
    train(recipe)
    whole = files_of(runs)
    without(runs[1])
    without(runs[2])
    with pytest.raises(watch.Killed):
        train(recipe, listener=watch(dies_at=3))
    assert runs[1].checkpoint.exists()
    train(recipe)
    assert files_of(runs) == whole


def test_two_jobs_train_the_same_path_as_one(path_study, train):
    recipe, runs = path_study
    whole = files_of(runs)
    for run in runs:
        without(run)
    result = train(recipe, jobs=2)
    assert len(result.done) == 3
    assert files_of(runs) == whole
