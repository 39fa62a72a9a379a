"""Runs that start from another study's run, or from a file of weights."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import moat
from moat import study
from moat.data import Digits
from moat.errors import MoatError, StartError
from moat.recipe import plan_runs, read
from moat.runs import RunFolder
from moat.study.start_look import StartLook

SMALL = Path(__file__).parents[1] / "small.toml"
HEAD = (
    SMALL.read_text("utf-8").partition("[[variant]]")[0].replace("examples = 40", "examples = 20")
)
VARIANT = '\n[[variant]]\nname = "on"\nthreats = ["pgd"]\n'


@pytest.fixture
def plain(trained, recipe):
    """Lay down the finished plain run of the small study; return its folder."""
    (folder,) = trained(recipe(name="first/study.toml"), "plain")
    return folder


@pytest.fixture
def started(tmp_path):
    """Write a study whose one variant has a start, or further lines."""

    def write(start="", lines="", head=HEAD, name="on.toml"):
        file = tmp_path / name
        text = f"start = {json.dumps(str(start))}\n" if start else ""
        file.write_text(text + head + VARIANT + lines, "utf-8")
        return file

    return write


@pytest.fixture(scope="module")
def digits_data():
    return Digits().load()


def trains_of(file):
    (plan,) = plan_runs(read(file))
    return plan.trains


def test_a_run_begins_with_the_weights_of_another_study_s_run(plain, started, train):
    result = train(started(plain, head=HEAD.replace("lr = 0.5", "lr = 1e-12")))
    (run,) = map(RunFolder, result.done)
    was, now = RunFolder(plain).load_model(), run.load_model()
    for name, value in was.items():
        assert torch.allclose(now[name], value, atol=1e-6)
    record = run.read_record()
    assert record.start.place == str(plain)
    assert record.passes_to_here == (
        record.training["passes"] + RunFolder(plain).read_record().training["passes"]
    )
    assert record.trains["start"] == {"weights": record.start.weights, "optimizer": "fresh"}
    assert train(started(plain, head=HEAD.replace("lr = 0.5", "lr = 1e-12"))).skipped


def test_the_weights_and_not_their_place_identify_a_run(plain, started, tmp_path):
    copy = tmp_path / "weights.safetensors"
    shutil.copy(plain / "model.safetensors", copy)
    one, other = trains_of(started(plain)), trains_of(started(copy))
    assert one == other
    assert one != trains_of(started())
    copy.write_bytes(copy.read_bytes() + b" ")
    assert trains_of(started(copy)) != one


@pytest.mark.parametrize("form", ["relative", "table", "variant", "seed", "sweep"])
def test_a_start_has_several_forms(plain, started, tmp_path, form):
    near = str(plain.relative_to(tmp_path))
    lines = {
        "variant": f'start = "{near}"',
        "sweep": f'sweep = {{ start = ["{near}"] }}',
        "table": f'start = {{ weights = "{near}" }}',
    }.get(form, "")
    start = {"relative": near, "seed": near.replace("seed-0", "seed-{seed}")}.get(form, "")
    assert trains_of(started(start, lines)) == trains_of(started(plain))


def test_a_sweep_of_starts_makes_a_run_each(plain, started, tmp_path):
    copy = tmp_path / "other.safetensors"
    shutil.copy(plain / "model.safetensors", copy)
    near = plain.relative_to(tmp_path).as_posix()
    file = started(lines=f'sweep = {{ start = ["{near}", "other.safetensors"] }}')
    one, other = plan_runs(read(file))
    assert other.label == "on start=other.safetensors"
    assert one.path != other.path
    assert one.start.digest == other.start.digest


MISSING = {
    "seed": ("seed-0", "seed-7", "the folder does not exist. Did you mean"),
    "file": (
        "plain/seed-0",
        "plain/seed-0/modell.safetensors",
        "Did you mean 'model.safetensors'?",
    ),
    "study": ("plain/seed-0", "plain", "has no trained weights. Did you mean"),
    "suffix": ("plain/seed-0", "plain/seed-0/model.safetensor", "not exist. Did you mean"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_start_is_refused_with_the_nearest(plain, started, train, case):
    old, new, message = MISSING[case]
    file = started(str(plain).replace(old, new))
    result = train(file)
    (error,) = result.failed.values()
    assert message in error.message
    (estimate,) = study.estimate_all(study.plan(file), "cpu")
    assert message in estimate.missing.message


@pytest.mark.parametrize("name", ["recipe.toml", "run.json", "log.jsonl", "evaluation.npz"])
def test_a_run_s_file_without_weights_leads_to_its_folder(plain, started, name):
    (estimate,) = study.estimate_all(study.plan(started(f"{plain}/{name}")), "cpu")
    assert "this is a file" in estimate.missing.message
    assert estimate.missing.hint == f"Name its folder: {plain}"


def test_weights_of_another_network_are_refused_by_their_keys(plain, started, train):
    result = train(started(plain, head=HEAD.replace("width = 4", "width = 6")))
    (error,) = result.failed.values()
    assert isinstance(error, StartError)
    assert "the weights of the start do not fit the network: " in error.message
    assert "of another shape" in error.message


def test_a_run_begins_with_the_weights_in_a_bundle(plain, started, train, tmp_path):
    bundle = moat.bundle(plain.parents[1], tmp_path / "b.zip", weights=True)
    inside = bundle.path / "plain" / "seed-0"
    assert trains_of(started(inside)) == trains_of(started(plain))
    (run,) = train(started(inside)).done
    assert RunFolder(run).read_record().start.place == str(inside)
    bundle.path.unlink()
    assert train(started(inside)).skipped == [run]


BUNDLED = {
    "no weights": (False, "plain/seed-0", "the bundle has no weights"),
    "no such run": (True, "plain/seed-1", "Did you mean 'plain/seed-0'?"),
    "the whole": (True, "", "has no trained weights. Did you mean"),
}


@pytest.mark.parametrize("case", BUNDLED)
def test_a_bundle_that_gives_no_start_says_why(plain, started, digits_data, tmp_path, case):
    weights, inside, message = BUNDLED[case]
    moat.bundle(plain.parents[1], tmp_path / "b.zip", weights=weights)
    (run,) = plan_runs(read(started(tmp_path / "b.zip" / inside)))
    found = StartLook().fault(run, digits_data)
    assert message in found.message
    assert str(tmp_path / "b.zip") in found.where


def test_a_finished_run_outlives_its_start(plain, started, train):
    file = started(plain)
    (run,) = train(file).done
    shutil.rmtree(plain)
    result = train(file)
    assert (result.skipped, result.failed) == ([run], {})


def test_a_start_of_other_weights_is_another_training(plain, started, train):
    file = started(plain)
    (run,) = train(file).done
    state = RunFolder(plain).load_model()
    RunFolder(plain).save_model({name: value + 1 for name, value in state.items()})
    (error,) = train(file).failed.values()
    assert "start.weights: " in error.message
    assert RunFolder(run).read_record() is not None


def test_the_optimizer_s_state_is_kept_where_that_is_asked_for(plain, started, train):
    lines = f'start = {{ weights = "{plain}", optimizer = "kept" }}'
    head = HEAD.replace("lr = 0.5", "lr = 0.5\nmomentum = 0.9")
    fresh = train(started(plain, head=head)).done[0]
    kept = train(started("", lines, head=head, name="kept.toml")).done[0]
    assert RunFolder(fresh).read_record().trains["start"]["optimizer"] == "fresh"
    # The plain run had no momentum: its state has no buffers, so both trainings are the same.
    one, other = (RunFolder(run).load_model() for run in (fresh, kept))
    assert all(torch.equal(one[name], other[name]) for name in one)


REFUSED = {
    "another optimizer": ('type = "sgd"', 'type = "adamw"', "", "another kind of optimizer"),
    "no checkpoint": ("", "", "checkpoint.pt", "no checkpoint lies beside the weights"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_state_that_cannot_be_kept_is_refused(plain, started, train, case):
    old, new, gone, message = REFUSED[case]
    if gone:
        (plain / gone).unlink()
    lines = f'start = {{ weights = "{plain}", optimizer = "kept" }}'
    (error,) = train(started("", lines, head=HEAD.replace(old, new))).failed.values()
    assert message in error.message
    assert 'optimizer = "fresh"' in error.hint


def test_broken_weights_are_refused(plain, started, train, tmp_path):
    state = RunFolder(plain).load_model()
    name = next(iter(state))
    torch.save({**state, name: state[name] * float("nan")}, tmp_path / "broken.pth")
    (error,) = train(started(tmp_path / "broken.pth")).failed.values()
    assert isinstance(error, MoatError)
    assert f"the weights of the start are not finite: {name}" in error.message
