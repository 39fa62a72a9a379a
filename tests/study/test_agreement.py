"""A record that contradicts itself, or the files beside it, is named; the other runs go on."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import moat
from moat.cli.app import app
from moat.digests import short_hash
from moat.errors import MoatError, RunFolderError
from moat.report import StatusReader, make_scoreboards, read_points
from moat.report.page import write_page
from moat.report.runs_by_name import read_run
from moat.runs import RunFolder
from moat.study import evaluate_model, evaluate_run

ONE, OTHER = Path("study", "plain", "seed-0"), Path("study", "pgd-at", "seed-0")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two finished runs, and the evaluation of somebody else's network."""
    folder = tmp_path_factory.mktemp("trained")
    text = (Path(__file__).parents[1] / "small.toml").read_text("utf-8")
    recipe = folder / "study.toml"
    recipe.write_text(text.replace("examples = 40", "examples = 8"), "utf-8")
    moat.train(recipe, only=["plain", "pgd-at"], results=folder / "results", device="cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    keys = {"name": "theirs", "results": folder / "results", "device": "cpu"}
    evaluate_model(network, recipe, **keys)
    return folder


@pytest.fixture
def results(trained, tmp_path):
    shutil.copytree(trained / "results", tmp_path / "results")
    return tmp_path / "results"


def record_of(run: Path) -> dict:
    return json.loads((run / "run.json").read_text("utf-8"))


def edit(run: Path, *place: str, value: object) -> None:
    """Change one value of a run's record, as a person would with an editor."""
    record = record_of(run)
    held = record
    for key in place[:-1]:
        held = held[key]
    assert held[place[-1]] != value
    held[place[-1]] = value
    (run / "run.json").write_text(json.dumps(record, indent=2), "utf-8")


def train_again(trained: Path, results: Path, **keys: object) -> MoatError | None:
    recipe = trained / "study.toml"
    done = moat.train(recipe, only=["plain"], results=results, device="cpu", **keys)
    return next(iter(done.failed.values()), None)


PROTOCOL = {
    "steps": ("protocol", "threats", "pgd", "at_steps"),
    "examples": ("protocol", "examples"),
    "falls": ("protocol", "falls"),
    "hash": ("protocol_hash",),
}
OTHERWISE = {"steps": [1], "examples": 7, "falls": "any", "hash": "0" * 16}
TRAINING = {
    "hash": (("train_hash",), "0" * 16, "train_hash is 0000000000000000, and the hash of its trai"),
    "epochs": (("trains", "training", "epochs"), 9, "the hash of its training settings (trains) "),
    "rate": (("trains", "optimizer", "lr"), 9.0, "the hash of its training settings (trains) is "),
    "scalarizer": (("trains", "scalarizer", "type"), "max", "the hash of its training settings (t"),
    "seed": (("seed",), 4, "seed is 4, and trains.seed 0"),
    "data": (("data", "type"), "mnist", "data.type is 'mnist', and trains.data.type 'digits'"),
    "label": (("label",), "mine", "label is 'mine', and that of variant and sweep 'plain'"),
    "variant": (("variant",), "mine", "label is 'plain', and that of variant and sweep 'mine'"),
    "sweep": (("sweep",), {"a.r": 2}, "label is 'plain', and that of variant and sweep 'plain r=2"),
}
SCORES = {
    "natural": (("scores", "natural"), 99.0, "scores.natural is 99.0 here and "),
    "total": (("scores", "total"), 1.5, "scores.total is 1.5 here and "),
    "accuracy": (("scores", "scores", "pgd"), None, "scores.scores.pgd is None here and "),
    "a score that is gone": (("scores",), {}, "scores.natural is None here and "),
}


def refusals_of(trained: Path, results: Path) -> dict[str, str]:
    """Return what each reader says of the run, by its name."""
    points, skipped = read_points(results)
    assert {point.folder for point in points} == {results / OTHER, results / THEIRS}
    (status,) = [run for study in StatusReader(results).read() for run in study.runs
                 if run.where == "plain/seed-0"]  # fmt: skip
    with pytest.raises(RunFolderError) as shown:
        read_run(results / ONE)
    return {
        "front": "\n".join(skipped),
        "watch": status.why,
        "score": str(shown.value),
        "train": str(train_again(trained, results)),
    }


THEIRS = Path("study", "theirs", "seed-0")


@pytest.mark.parametrize("how", PROTOCOL)
def test_a_protocol_that_is_not_that_of_its_hash_is_named_and_made_again(trained, results, how):
    run = results / ONE
    good = (run / "evaluation.npz").read_bytes(), record_of(run)["protocol"]
    edit(run, *PROTOCOL[how], value=OTHERWISE[how])
    for said in refusals_of(trained, results).values():
        assert f"{run / 'run.json'}: the record contradicts itself: protocol_hash is " in said
        assert f"or make it again: moat evaluate {run}" in said
    evaluate_run(run, "cpu")
    assert (run / "evaluation.npz").read_bytes() == good[0]
    assert record_of(run)["protocol"] == good[1]
    assert train_again(trained, results) is None


@pytest.mark.parametrize("how", TRAINING)
def test_a_record_that_says_in_two_ways_what_trained_it_is_named(trained, results, how):
    run, (place, value, message) = results / ONE, TRAINING[how]
    edit(run, *place, value=value)
    for said in refusals_of(trained, results).values():
        assert f"{run / 'run.json'}: the record contradicts itself: " in said
        assert message in said
        assert "Or delete it: `moat train` then resumes from the checkpoint" in said
    for use in (moat.load, evaluate_run):
        with pytest.raises(RunFolderError, match="the record contradicts itself"):
            use(run)


def test_a_record_that_is_deleted_is_made_again_without_training(trained, results):
    run = results / ONE
    weights, record = (run / "model.safetensors").read_bytes(), record_of(run)
    edit(run, "train_hash", value="0" * 16)
    (run / "run.json").unlink()
    assert train_again(trained, results) is None
    assert (run / "model.safetensors").read_bytes() == weights
    assert record_of(run)["train_hash"] == record["train_hash"]


@pytest.mark.parametrize("how", SCORES)
def test_scores_that_the_evaluation_does_not_have_are_named_and_made_again(trained, results, how):
    run, (place, value, message) = results / ONE, SCORES[how]
    edit(run, *place, value=value)
    said = refusals_of(trained, results)
    del said["watch"]  # shows no scores
    for text in said.values():
        assert f"{run / 'run.json'}: the record contradicts itself: {message}" in text
        assert f"moat evaluate {run}" in text


def test_scores_that_both_records_state_and_the_matrix_does_not_have_are_named(results):
    run = RunFolder(results / ONE)
    record, scores = record_of(run.path), json.loads((run.path / "evaluation.json").read_bytes())
    for held in (record, scores):
        held["scores"]["natural"] = 99.0
    (run.path / "evaluation.json").write_text(json.dumps(scores), "utf-8")
    changed = run.read_record().replace(scores=record["scores"])
    run.write_record(changed.replace(files=run.digests(changed.files)))
    _, (message,) = read_points(results)
    assert "scores.natural is 99.0, and that of evaluation.npz " in message


def test_the_evaluation_of_somebody_elses_model_is_made_again_by_its_own_command(results):
    edit(results / THEIRS, "protocol", "falls", value="any")
    record = record_of(results / THEIRS)
    record["command"] = ["moat", "evaluate", "--model", "theirs"]
    (results / THEIRS / "run.json").write_text(json.dumps(record), "utf-8")
    points, (message,) = read_points(results)
    assert len(points) == 2
    assert "or make it again: moat evaluate --model theirs --overwrite" in message


def test_a_record_without_a_checkpoint_beside_it_wants_its_training_again(results):
    edit(results / ONE, "seed", value=2)
    (results / ONE / "checkpoint.pt").unlink()
    with pytest.raises(RunFolderError, match="or train this run again with --overwrite"):
        read_run(results / ONE)


def test_overwriting_evaluates_again_what_contradicts_its_protocol(trained, results):
    edit(results / ONE, "protocol", "falls", value="any")
    weights = (results / ONE / "model.safetensors").stat().st_mtime_ns
    assert train_again(trained, results, overwrite=True) is None
    assert (results / ONE / "model.safetensors").stat().st_mtime_ns == weights
    assert read_points(results)[1] == []


def test_a_record_of_a_time_before_digests_is_taken_as_it_is(trained, results):
    record = record_of(results / ONE)
    state = RunFolder(results / ONE).load_model()
    record |= {"train_hash": "0" * 16, "label": "by another rule"}
    RunFolder(results / ONE).save_model(state, record["train_hash"])
    del record["files"]
    record["protocol"]["young"] = 1
    (results / ONE / "run.json").write_text(json.dumps(record), "utf-8")
    for file in ("evaluation.json",):
        held = json.loads((results / ONE / file).read_text("utf-8"))
        held = {k: v for k, v in held.items() if k != "train_hash"}
        (results / ONE / file).write_text(json.dumps(held), "utf-8")
    run = RunFolder(results / ONE)
    arrays, _ = RunFolder(results / OTHER).load_evaluation()
    run.save_evaluation({k: v for k, v in arrays.items() if k != "train_hash"}, held)
    assert len(read_points(results)[0]) == 3


def test_a_stored_hash_is_that_of_what_stands_beside_it(results):
    for run in (ONE, OTHER):
        record = record_of(results / run)
        assert short_hash(record["protocol"]) == record["protocol_hash"]
        assert short_hash(record["trains"]) == record["train_hash"]


def test_a_plan_that_calls_a_run_otherwise_than_itself_is_told_and_written_anew(trained, results):
    path = results / "study/study.json"
    planned = json.loads(path.read_text("utf-8"))
    planned["runs"][0] |= {"label": "mine", "seed": 5}
    path.write_text(json.dumps(planned), "utf-8")
    (study,) = StatusReader(results).read()
    assert study.note == (
        "study.json says of plain/seed-0: label 'mine', and its run.json 'plain'; seed 5, and its "
        "run.json 0. `moat train` with the recipe writes study.json anew."
    )
    assert study.runs[0].name == "plain, seed 0"
    assert train_again(trained, results) is None
    assert StatusReader(results).read()[0].note == ""


@pytest.mark.parametrize("name", ["gallery.npz", "log.jsonl"])
def test_a_file_that_a_page_leaves_out_is_told_at_its_head_and_on_the_terminal(results, name):
    shutil.copy(results / OTHER / name, results / ONE / name)
    heard = []
    page = write_page(make_scoreboards(results), results, results / "page.html", told=heard.append)
    (message,) = heard
    assert message.startswith(f"{results / ONE / name}: the file ")
    head = page.read_text("utf-8").split("<main", 1)[0]
    assert "Unreadable runs" in head
    assert str(results / ONE / name) in head
    said = CliRunner().invoke(app, ["report", str(results), "--html", str(page)])
    assert said.exit_code == 0
    assert f"left out: {results / ONE / name}: the file " in said.stderr


def test_a_recipe_of_a_run_that_was_changed_trains_nothing_else(results):
    path = results / ONE / "recipe.toml"
    assert tomllib.loads(path.read_text("utf-8"))["training"]["epochs"] == 1
    path.write_text(path.read_text("utf-8").replace("epochs = 1", "epochs = 2"), "utf-8")
    with pytest.raises(RunFolderError, match=r"changed since the training: training.epochs: 1 → 2"):
        evaluate_run(results / ONE, "cpu")
