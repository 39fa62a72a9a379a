import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from moat.data import sample
from moat.errors import RunFolderError
from moat.evaluation import evaluate
from moat.recipe import plan_runs, read
from moat.runs import RunFolder
from moat.study import evaluate_run, load, plan
from moat.study.one_run import initial_model

# Two-moment with its window (3 steps) over two threats, dropout, a noise start and validation: all
# that a resumed run could get wrong.
ALL_AT_ONCE = """
[[variant]]
name = "resumed"
threats = ["pgd", "flow"]
scalarizer = { type = "two-moment", r = 0.8, window = 4 }
"""
KEEP = pytest.mark.parametrize("keep", ["last", "best"])
SET = (
    *("training.epochs=3", "data.validation=0.1", "model.dropout=0.2", "training.log_every=1"),
    *('threats.pgd.train={ start = "noise" }', "optimizer.momentum=0.9"),
)
UNSURE = ("images_per_second",)  # of the log: the only thing that a second run may see otherwise


def log_of(folder: Path) -> list[dict]:
    return [{k: v for k, v in r.items() if k not in UNSURE} for r in RunFolder(folder).read_log()]


def same_run(one: Path, other: Path) -> None:
    for name in ("model.safetensors", "evaluation.npz", "evaluation.json", "recipe.toml"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert log_of(one) == log_of(other)
    steps = [record["step"] for record in log_of(one) if "loss" in record]
    assert steps == list(range(1, len(steps) + 1))
    records = [RunFolder(folder).read_record().as_table() for folder in (one, other)]
    for record in records:
        for key in ("seconds", "images_per_second"):
            del record["training"][key]
    assert records[0] == records[1]


# a run that goes on is the same run


@pytest.fixture
def resumed(recipe, train):
    """Run the study, with one way to keep weights, until it is done or dies."""
    path = recipe(more=ALL_AT_ONCE)

    def run(keep: str, *more: str, **keys) -> Path:
        set_ = (*SET, f'training.keep="{keep}"', *more)
        result = train(path, only=("resumed",), overrides=set_, **keys)
        assert not result.failed
        (folder,) = result.done
        return folder

    return run


@KEEP
def test_a_run_that_dies_at_any_step_goes_on_to_the_same_bytes(resumed, watch, tmp_path, keep):
    whole = resumed(keep, results=tmp_path / "whole")
    last = len([r for r in log_of(whole) if "loss" in r])
    for dies_at in (1, last // 3 + 1, last):
        results = tmp_path / f"dies at {dies_at}"
        with pytest.raises(watch.Killed):
            resumed(keep, results=results, listener=watch(dies_at=dies_at))
        assert not list(results.rglob("run.json"))
        same_run(resumed(keep, results=results), whole)


def test_a_run_that_dies_at_any_write_goes_on_to_the_same_bytes(
    resumed, watch, tmp_path, monkeypatch
):
    two = ("training.epochs=2", "data.train_examples=512")  # two steps an epoch
    whole = resumed("best", *two, results=tmp_path / "whole")
    replace = os.replace
    for dies_at in itertools.count(1):
        calls, results = itertools.count(1), tmp_path / f"dies at {dies_at}"

        def die(source, target, calls=calls, dies_at=dies_at):
            if next(calls) == dies_at:
                raise watch.Killed
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", die)
            try:
                resumed("best", *two, results=results)
            except watch.Killed:
                pass
            else:
                break
        same_run(resumed("best", *two, results=results), whole)
    assert dies_at > 9  # holder, recipe, log, checkpoints, model, evaluation, record


def test_a_run_that_dies_many_times_goes_on_to_the_same_bytes(resumed, watch, tmp_path):
    whole = resumed("best", results=tmp_path / "whole")
    last = len([r for r in log_of(whole) if "loss" in r])
    results = tmp_path / "often"
    for dies_at in (2, last // 2, last // 2 + 1, last - 1):
        with pytest.raises(watch.Killed):
            resumed("best", results=results, listener=watch(dies_at=dies_at))
    same_run(resumed("best", results=results), whole)


CHILD = """
import sys
from moat import cli
sys.argv = ["moat", *sys.argv[1:]]
cli.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("keep", "wait"), [("last", 0.0), ("best", 0.2)])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(recipe, train, tmp_path, keep, wait):
    path = recipe(more=ALL_AT_ONCE)
    set_ = [*SET, "training.epochs=10", f'training.keep="{keep}"']
    options = [part for text in set_ for part in ("--set", text)]
    results = tmp_path / "killed"
    asked = ["train", str(path), "--only", "resumed", "--device", "cpu", "--results", str(results)]
    command = [sys.executable, "-c", CHILD, *asked, *options]
    asked_here = {"only": ("resumed",), "overrides": set_}
    (whole,) = train(path, **asked_here, results=tmp_path / "whole").done

    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not (begun := list(results.rglob("checkpoint.pt"))):
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        time.sleep(wait)  # seconds after the first checkpoint
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not list(results.rglob("run.json"))
    assert train(path, **asked_here, results=results).done == [begun[0].parent]
    same_run(begun[0].parent, whole)


# what is kept, what is recorded


def test_the_best_epoch_by_the_held_out_examples_is_kept(resumed, tmp_path):
    best, last = (resumed(keep, results=tmp_path / keep) for keep in ("best", "last"))
    scores = [record["score"] for record in log_of(best) if "score" in record]
    assert len(scores) == 3
    record = RunFolder(best).read_record()
    assert record.training["epoch"] == scores.index(max(scores)) + 1
    assert RunFolder(last).read_record().training["epoch"] == 3
    validation = next(r["validation"] for r in log_of(best) if "validation" in r)
    assert list(validation) == ["natural", "pgd", "flow"]


def test_what_is_held_out_is_never_trained_on_and_scores_are_of_the_test_split(resumed, tmp_path):
    folder = resumed("last", results=tmp_path / "results")
    run = plan_runs(read(folder / "recipe.toml"))[0]
    data = run.dataset.load()
    rest, held_out = run.share.of(data.train)
    assert not set(rest.ids.tolist()) & set(held_out.ids.tolist())
    ids = RunFolder(folder).load_evaluation()[0]["ids"]
    assert ids.tolist() == sample(data.test, 40, 0).ids.tolist()
    steps = [r["step"] for r in log_of(folder) if "loss" in r]
    assert len(steps) == 3 * -(-len(rest) // 256)


def test_the_record_says_what_made_the_run(recipe, trained):
    (folder,) = trained(recipe(), "pareto")[:1]
    record = RunFolder(folder).read_record()
    (run, _) = plan(recipe(), only=("pareto",))
    assert record.train_hash == run.train_hash
    assert record.trains == run.trains
    assert record.protocol_hash == run.protocol_hash
    assert record.protocol.as_table() == run.evaluates
    assert (record.study, record.variant, record.seed) == ("study", "pareto", 0)
    assert record.sweep == {"scalarizer.r": 0.5}
    assert (record.shape, record.classes) == ((1, 8, 8), 10)
    assert record.training["steps"] == 6
    assert 0 <= record.training["scalarizer"]["clamped_share"] <= 1
    assert record.machine["torch"] == torch.__version__


def test_the_stored_outcomes_are_those_of_the_stored_model(recipe, trained):
    (folder,) = trained(recipe(), "pgd-at")
    (run,) = plan(recipe(), only=("pgd-at",))
    found = evaluate(load(folder), run.dataset.load(), run.protocol)
    arrays, about = RunFolder(folder).load_evaluation()
    assert np.array_equal(arrays["outcomes"], found.outcomes.values)
    assert about.scores == json.loads(json.dumps(found.scores()))
    assert about.scores == RunFolder(folder).read_record().scores


def test_the_matrix_lies_with_its_examples_its_losses_and_its_protocol(recipe, trained):
    (folder,) = trained(recipe(), "pgd-at")
    (run,) = plan(recipe(), only=("pgd-at",))
    with np.load(folder / "evaluation.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    assert arrays["outcomes"].dtype == np.int8
    assert set(np.unique(arrays["outcomes"])) <= {0, 1}
    assert arrays["ids"].tolist() == sample(run.dataset.load().test, 40, 0).ids.tolist()
    assert arrays["losses"].shape == arrays["outcomes"].shape == (40, len(arrays["threats"]))
    assert np.isfinite(arrays["losses"]).all()
    assert str(arrays["protocol_hash"]) == run.protocol_hash


def test_initial_weights_depend_on_the_seed_alone(recipe):
    path = recipe("[data]", "seeds = [0, 1]\n[data]")
    plans = plan(path)
    data = plans[0].dataset.load()
    weights = {(p.label, p.seed): initial_model(p, data).state_dict()["0.weight"] for p in plans}
    for (_, seed), value in weights.items():
        assert torch.equal(value, weights["plain", seed])
    assert not torch.equal(weights["plain", 0], weights["plain", 1])


# evaluating again


def test_a_finished_run_is_evaluated_again_by_its_own_recipe(recipe, trained, snapshot):
    (folder,) = trained(recipe(), "pgd-at")
    before = snapshot(folder)
    (folder / "evaluation.npz").write_bytes(b"broken")
    scores = evaluate_run(folder, "cpu")
    after = snapshot(folder)
    assert scores == RunFolder(folder).read_record().scores
    for name in before:
        assert after[name][0] == before[name][0], name
    assert after["model.safetensors"] == before["model.safetensors"]


def test_a_run_whose_recipe_was_changed_afterwards_is_not_evaluated(recipe, trained, snapshot):
    (folder,) = trained(recipe(), "pgd-at")
    own = folder / "recipe.toml"
    own.write_text(own.read_text("utf-8").replace("epsilon = 0.1", "epsilon = 0.5"), "utf-8")
    before = snapshot(folder)
    with pytest.raises(
        RunFolderError,
        match=r"the recipe was changed since the training: threats.pgd.epsilon: 0.1 → 0.5",
    ):
        evaluate_run(folder, "cpu")
    assert snapshot(folder) == before


def test_a_folder_without_a_finished_run_is_not_evaluated(tmp_path):
    with pytest.raises(RunFolderError) as refused:
        evaluate_run(tmp_path, "cpu")
    assert str(refused.value) == (
        f"{tmp_path}: the folder has no finished run (no run.json).\n"
        "  Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or finish the run "
        "with `moat train`."
    )


def test_a_run_without_weights_cannot_be_evaluated(recipe, train, trained):
    (folder,) = trained(recipe(), "plain")
    (folder / "model.safetensors").unlink()
    with pytest.raises(RunFolderError) as refused:
        evaluate_run(folder, "cpu")
    assert str(refused.value) == (
        f"{folder}: the run's trained weights are missing.\n"
        "  `moat train` with --overwrite trains this run again."
    )
