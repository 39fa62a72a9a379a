"""Files of runs that were exchanged, linked, cut or changed are named, and nothing uses them."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

import moat
from moat.errors import ForeignFileError, MoatError, RunFolderError
from moat.report import make_fronts, make_plots
from moat.report.evidence import validation_of
from moat.runs import RunFolder
from moat.study import evaluate_run

ONE, OTHER = Path("study", "plain", "seed-0"), Path("study", "pgd-at", "seed-0")
EVALUATED = ("evaluation.npz", "evaluation.json", "validation.npz", "gallery.npz")
HELD_OUT = ("[model]", "validation = 0.1\n[model]")


@pytest.fixture(scope="module")
def trained(shared_folder):
    """Two finished runs of one network, with examples held out."""

    def fill(folder: Path) -> None:
        text = (Path(__file__).parents[1] / "small.toml").read_text("utf-8")
        recipe = folder / "study.toml"
        recipe.write_text(text.replace(*HELD_OUT).replace("examples = 40", "examples = 8"), "utf-8")
        moat.train(recipe, only=["plain", "pgd-at"], results=folder / "results", device="cpu")

    return shared_folder("two with held-out examples", fill)


@pytest.fixture
def results(trained, tmp_path):
    shutil.copytree(trained / "results", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def again(trained, results):
    """Train the one run again and return what its folder is refused for, None if it is not."""

    def run(**keys: object) -> MoatError | None:
        recipe = trained / "study.toml"
        done = moat.train(recipe, only=["plain"], results=results, device="cpu", **keys)
        return next(iter(done.failed.values()), None)

    return run


def exchange(results: Path, name: str, how: str = "swapped") -> Path:
    """Let one run's file be another's; return its path."""
    one, other = results / ONE / name, results / OTHER / name
    if how == "swapped":
        os.replace(one, one.with_name("between"))
        os.replace(other, one)
        os.replace(one.with_name("between"), other)
    else:
        one.unlink()
        one.symlink_to(other) if how == "linked" else one.hardlink_to(other)
    return one


def without_digests(results: Path) -> None:
    """Let the records be of a time before they named digests."""
    for run in (ONE, OTHER):
        record = json.loads((results / run / "run.json").read_text("utf-8"))
        del record["files"]
        (results / run / "run.json").write_text(json.dumps(record), "utf-8")


USES = {
    "model.safetensors": lambda run: moat.load(run),
    "evaluation.npz": lambda run: RunFolder(run).load_evaluation(),
    "evaluation.json": lambda run: RunFolder(run).load_evaluation(),
    "validation.npz": lambda run: RunFolder(run).load_validation(),
    "gallery.npz": lambda run: RunFolder(run).load_gallery(),
    "log.jsonl": lambda run: RunFolder(run).read_log(),
}


def test_a_record_repeats_the_digest_of_every_file_that_is_read_of_a_finished_run(results):
    assert set(json.loads((results / ONE / "run.json").read_text("utf-8"))["files"]) == set(USES)


@pytest.mark.parametrize("how", ["swapped", "linked", "hard-linked"])
@pytest.mark.parametrize("name", USES)
def test_a_file_of_another_run_is_named_by_whoever_reads_it(results, name, how):
    path = exchange(results, name, how)
    with pytest.raises(ForeignFileError) as refused:
        USES[name](results / ONE)
    assert refused.value.where == str(path)
    assert "Put the run's own file back" in refused.value.hint
    if name != "log.jsonl":
        assert "the file belongs to another run: its training hash is " in refused.value.message


@pytest.mark.parametrize("name", ["model.safetensors", *EVALUATED])
def test_a_file_that_carries_another_runs_hash_is_named_without_digests_too(results, name):
    without_digests(results)
    USES[name](results / ONE)  # an older folder loads
    exchange(results, name)
    with pytest.raises(ForeignFileError, match="belongs to another run"):
        USES[name](results / ONE)


def test_a_record_of_another_run_is_named_by_the_files_beside_it(results, again):
    exchange(results, "run.json")
    assert "other training settings" in str(again())
    for name, use in USES.items():
        with pytest.raises(RunFolderError, match=rf"{Path(name).stem}|trained|network"):
            use(results / ONE)


def test_files_of_a_time_before_hashes_load(results, again):
    without_digests(results)
    for run in (ONE, OTHER):
        folder = RunFolder(results / run)
        folder.save_model(folder.load_model() or {})
        (arrays, scores), held = folder.load_evaluation(), folder.load_validation()
        bare = [{k: v for k, v in part.items() if k != "train_hash"} for part in (arrays, held)]
        scores = {k: v for k, v in scores.as_table().items() if k != "train_hash"}
        folder.save_evaluation(bare[0], scores, validation=bare[1])
    assert again() is None
    moat.load(results / ONE)
    assert validation_of(RunFolder(results / ONE), arrays["protocol_hash"].item())


def test_weights_that_were_changed_are_not_evaluated_and_the_checkpoint_brings_them_back(
    results, again
):
    path = results / ONE / "model.safetensors"
    good, run = path.read_bytes(), RunFolder(results / ONE)
    weights = run.load_model()
    weights["0.weight"] += 1
    run.save_model(weights, run.read_record().train_hash)
    with pytest.raises(ForeignFileError) as refused:
        evaluate_run(results / ONE, "cpu")
    assert refused.value.message.startswith("the file and run.json do not belong together: its ")
    assert refused.value.hint == (
        "Put the run's own file back. Or delete it, and run.json if there is one: `moat train` "
        "then resumes from the checkpoint without training again."
    )
    assert str(again()) == str(refused.value)
    for name in ("model.safetensors", "run.json"):
        (results / ONE / name).unlink()
    assert again() is None
    assert path.read_bytes() == good
    (results / ONE / "checkpoint.pt").unlink()
    exchange(results, "model.safetensors")
    with pytest.raises(ForeignFileError, match="or train this run again with --overwrite"):
        moat.load(results / ONE)


@pytest.mark.parametrize("name", ["evaluation.npz", "evaluation.json"])
def test_an_evaluation_of_another_run_is_shown_nowhere_and_made_again(results, again, name):
    good = (results / ONE / "evaluation.npz").read_bytes()
    path = exchange(results, name, "hard-linked")
    report = make_fronts(results)
    (front,) = report.fronts
    shown = [row.point.folder for setting in front.settings for row in setting.rows]
    assert shown == [results / OTHER]
    (message,) = report.skipped
    assert message.startswith(f"{results / ONE}/evaluation.")
    refused = again()
    assert refused.where == str(path)
    assert refused.hint == (
        f"Put the run's own file back, or make it again: moat evaluate {results / ONE}"
    )
    evaluate_run(results / ONE, "cpu")
    assert (results / ONE / "evaluation.npz").read_bytes() == good
    assert again() is None


def test_an_evaluation_that_was_cut_short_between_its_files_is_finished(results, again):
    run, good = RunFolder(results / ONE), (results / ONE / "evaluation.npz").read_bytes()
    arrays, scores = run.load_evaluation()
    run.evaluation_parts("f").make()
    run.save_evaluation({**arrays, "later": arrays["ids"]}, scores.as_table())
    assert run.is_interrupted
    assert again() is None
    assert (results / ONE / "evaluation.npz").read_bytes() == good
    assert not run.is_interrupted


def cut(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:1] + lines[2:])


LOGS = {
    "cut in the middle": cut,
    "its end is gone": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a number is changed": lambda content: content.replace(b'"step": 4', b'"step": 5', 1),
    "a line is added": lambda content: content + b'{"step": 9, "loss": {"natural": 0.0}}\n',
}


@pytest.mark.parametrize("how", LOGS)
def test_a_log_that_is_not_whole_gives_no_curves(results, how):
    path = results / ONE / "log.jsonl"
    path.write_bytes(LOGS[how](path.read_bytes()))
    with pytest.raises(ForeignFileError) as refused:
        RunFolder(results / ONE).read_log()
    assert refused.value.hint == (
        "Put the run's own file back, or delete it: then the run only loses its curves."
    )
    (figure,) = make_plots([results], ["training"]).figures.values()
    said = "".join(text.get_text() for text in figure.texts)
    assert "plain has no log." in " ".join(said.split())
    path.unlink()
    assert RunFolder(results / ONE).read_log() == []


@pytest.fixture
def stopped(trained, results, watch):
    """A run of three epochs that died in its third: its checkpoint is of the second."""
    text = (trained / "study.toml").read_text("utf-8").replace("epochs = 1", "epochs = 3")
    recipe = results.parent / "long.toml"
    recipe.write_text(text, "utf-8")

    def run(only: str = "plain", *, dies_at: int = 0, **keys: object) -> MoatError | None:
        done = moat.train(
            recipe,
            only=[only],
            results=results,
            device="cpu",
            listener=watch(dies_at=dies_at) if dies_at else None,
            **keys,
        )
        return next(iter(done.failed.values()), None)

    for only in ("plain", "pgd-at"):
        with pytest.raises(watch.Killed):
            run(only, dies_at=17)
    return run


LONG = Path("long", "plain", "seed-0")


@pytest.mark.parametrize("how", [name for name in LOGS if name != "a line is added"])
def test_a_log_that_was_cut_or_changed_is_not_gone_on_from(stopped, results, how):
    path = results / LONG / "log.jsonl"
    whole = path.read_bytes()
    path.write_bytes(LOGS[how](whole))
    refused = stopped()
    assert refused.where == str(path)
    assert refused.message.startswith(
        "the file is truncated or not moat's (the checkpoint knows 8 lines of "
    )
    assert refused.hint == "Put the whole log back, or train this run again with --overwrite."
    path.write_bytes(whole)
    assert stopped() is None


def test_what_was_logged_after_the_checkpoint_is_forgotten(stopped, results):
    path = results / LONG / "log.jsonl"
    path.write_bytes(LOGS["a line is added"](path.read_bytes()) + b'{"half')
    assert stopped() is None
    steps = [r["step"] for r in RunFolder(results / LONG).read_log() if "loss" in r]
    assert steps == sorted(set(steps))


def test_a_log_that_is_gone_is_missed(stopped, results):
    path = results / LONG / "log.jsonl"
    path.unlink()
    assert "0 lines of 0 bytes are left" in stopped().message
    assert stopped(overwrite=True) is None


@pytest.mark.parametrize("how", ["swapped", "linked"])
def test_a_checkpoint_of_another_run_is_not_trained_on(stopped, results, how):
    one, other = (results / "long" / name / "seed-0/checkpoint.pt" for name in ("plain", "pgd-at"))
    own, theirs = one.read_bytes(), other.read_bytes()
    one.unlink()
    one.write_bytes(theirs) if how == "swapped" else one.symlink_to(other)
    refused = stopped()
    assert refused.where == str(one)
    assert refused.message.startswith("the file belongs to another run: its training hash is ")
    assert other.read_bytes() == theirs
    one.unlink()
    one.write_bytes(own)
    assert stopped() is None
    assert other.read_bytes() == theirs


def test_weights_of_another_run_in_an_unfinished_one_are_refused_and_not_written_over(
    stopped, results
):
    path = results / LONG / "model.safetensors"
    shutil.copy(results / ONE / "model.safetensors", path)
    there = path.read_bytes()
    refused = stopped()
    assert isinstance(refused, ForeignFileError)
    assert path.read_bytes() == there
    path.unlink()  # as the hint says
    assert stopped() is None


def test_a_checkpoint_of_a_time_before_it_knew_its_log_is_gone_on_from(stopped, results):
    folder = RunFolder(results / LONG)
    state = folder.load_checkpoint()
    folder.save_checkpoint({k: v for k, v in state.items() if k not in ("log", "train_hash")})
    assert stopped() is None


def test_a_log_is_on_the_disk_before_the_checkpoint_that_knows_it(results, monkeypatch):
    flushed, truly = [], os.fsync
    folder = RunFolder(results / ONE)
    monkeypatch.setattr(
        os, "fsync", lambda fd: (flushed.append(os.readlink(f"/proc/self/fd/{fd}")), truly(fd))
    )
    folder.save_checkpoint({"log": folder.log_extent(), "weights": torch.zeros(1)})
    assert flushed[0].endswith("log.jsonl")
