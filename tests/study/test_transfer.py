"""The gate's question that waits for another run, and who asks it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from moat.recipe import RunPlan
from moat.runs import RunFolder
from moat.study import evaluate_run, evaluate_under, plan

WAITS = "The images should come from pareto r=0.5, seed 0, which is not finished."
FAILED = "The images should come from pareto r=0.5, seed 0, which failed."
PARTNER = Path("study/pareto/r=0.5/seed-0")
PLAIN = Path("study/plain/seed-0")


def transfer_of(folder: Path) -> dict:
    """Return the answer that a run's evaluation keeps."""
    _, about = RunFolder(folder).load_evaluation()
    (check,) = (one for one in about.sanity if one.name == "transfer")
    return check.as_table()


def is_open(folder: Path) -> bool:
    return RunFolder(folder).read_record().open_transfer is not None


def without_times(folder: Path) -> dict:
    """Return what a record says, but for how long it took and what the process was like."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    del record["training"]["seconds"], record["training"]["images_per_second"]
    del record["files"]["log.jsonl"], record["machine"]
    return record


@pytest.fixture
def whole(recipe, trained, tmp_path):
    """The small study, trained as a whole: its runs below a folder of their own."""
    trained(recipe(), at=tmp_path / "whole")
    return tmp_path / "whole"


@pytest.fixture
def waiting(recipe, trained, results) -> Path:
    """The plain run, whose partner is not trained."""
    (folder,) = trained(recipe(), "plain")
    return folder


def put(whole: Path, results: Path, run: Path) -> None:
    """Have a run lie there as if another process had just finished it, and died."""
    shutil.copytree(whole / run, results / run)


@pytest.mark.parametrize(
    "order",
    [
        [["plain"], ["pgd-at"], ["pareto"]],
        [["pareto"], ["pgd-at"], ["plain"]],
        [["pgd-at"], ["plain", "pareto"]],
    ],
    ids=str,
)
def test_a_finished_study_is_the_same_whatever_the_order(order, recipe, train, whole, results):
    for only in order:
        assert not train(recipe(), only=only).failed
    for run in plan(recipe()):
        name = "evaluation.json"
        assert (results / run.path / name).read_bytes() == (whole / run.path / name).read_bytes()
        assert without_times(results / run.path) == without_times(whole / run.path)


def test_the_question_waits_for_its_partner_and_says_for_whom(waiting):
    check = transfer_of(waiting)
    assert (check["verdict"], check["text"]) == ("not checked", WAITS)
    assert is_open(waiting)


def test_what_another_process_left_unasked_is_asked_when_the_run_is_skipped(
    waiting, whole, results, recipe, train
):
    put(whole, results, PARTNER)
    assert train(recipe(), only=["plain"]).skipped == [waiting]
    assert not is_open(waiting)
    assert (waiting / "evaluation.json").read_bytes() == (
        whole / PLAIN / "evaluation.json"
    ).read_bytes()


def test_an_evaluation_again_asks_it(waiting, whole, results):
    put(whole, results, PARTNER)
    evaluate_run(waiting, "cpu")
    assert transfer_of(waiting) == transfer_of(whole / PLAIN)


def test_a_partner_that_fails_leaves_a_sentence_and_one_that_is_trained_then_an_answer(
    waiting, whole, results, recipe, train, monkeypatch
):
    path = recipe()
    with monkeypatch.context() as patch:
        patch.setattr("moat.study.runner.run_one", fail)
        assert len(train(path, only=["pareto"]).failed) == 2
    assert RunFolder(results / PARTNER).read_failure()
    assert transfer_of(waiting)["text"] == FAILED
    assert is_open(waiting)
    assert not train(path, only=["pareto"]).failed
    assert transfer_of(waiting) == transfer_of(whole / PLAIN)


def fail(plan: RunPlan, *rest: object) -> None:
    raise ValueError(f"{plan.label} failed")


def test_a_partner_that_failed_before_is_named_at_once(recipe, results, train):
    RunFolder(results / PARTNER).write_failure({"message": "no"})
    (folder,) = train(recipe(), only=["plain"]).done
    assert transfer_of(folder)["text"] == FAILED


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda run: (run / "model.safetensors").write_bytes(b"torn"), "cannot be loaded: "),
        (lambda run: (run / "run.json").write_text("{"), "is not finished."),
        (lambda run: _with_other_images(run), "was tested on other images."),
    ],
    ids=["weights", "record", "images"],
)
def test_a_partner_that_is_of_no_use_is_said_and_asked_again(
    damage, why, waiting, whole, results, recipe, train
):
    put(whole, results, PARTNER)
    damage(results / PARTNER)
    train(recipe(), only=["plain"])
    assert f"pareto r=0.5, seed 0, which {why}" in transfer_of(waiting)["text"]
    assert is_open(waiting)
    shutil.rmtree(results / PARTNER)
    put(whole, results, PARTNER)
    train(recipe(), only=["plain"])
    assert transfer_of(waiting) == transfer_of(whole / PLAIN)


def _with_other_images(run: Path) -> None:
    folder = RunFolder(run)
    record = folder.read_record()
    folder.write_record(record.replace(data={**record.data, "digest": "another"}))


def test_a_run_that_another_process_holds_is_left_to_it(waiting, whole, results, recipe, train):
    put(whole, results, PARTNER)
    with RunFolder(waiting).locked():
        train(recipe(), only=["plain"])
        assert is_open(waiting)
    train(recipe(), only=["plain"])
    assert not is_open(waiting)


def test_a_process_that_dies_between_the_answer_and_the_record_costs_one_evaluation(
    waiting, whole, results, recipe, train, monkeypatch
):
    class Crash(BaseException):
        """The process dies: nothing may catch it."""

    replace = os.replace

    def dying(source, target):
        if Path(target) == waiting / "run.json":
            raise Crash
        replace(source, target)

    put(whole, results, PARTNER)
    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(Crash):
        train(recipe(), only=["plain"])
    monkeypatch.setattr(os, "replace", replace)
    result = train(recipe(), only=["plain"])
    assert (result.failed, result.done) == ({}, [waiting])
    assert (waiting / "evaluation.json").read_bytes() == (
        whole / PLAIN / "evaluation.json"
    ).read_bytes()


def test_a_partner_that_the_recipe_no_longer_has_is_replaced_by_one_that_it_has(
    waiting, results, recipe, train
):
    text = recipe().read_text("utf-8")
    path = recipe(text[text.rindex("[[variant]]") :], "")
    assert not train(path).failed
    assert RunFolder(waiting).read_record().partner.label == "pgd-at"
    assert "found on pgd-at" in transfer_of(waiting)["text"]


def test_under_another_protocol_the_question_waits_for_the_same_run(
    waiting, whole, results, recipe
):
    again = {"overrides": ['evaluation.falls="any"'], "device": "cpu"}
    (judged,) = evaluate_under(recipe(), [waiting], **again)
    assert transfer_of(judged.folder)["text"] == WAITS
    put(whole, results, PARTNER)
    (once_more,) = evaluate_under(recipe(), [waiting], **again)
    assert once_more.before
    assert transfer_of(judged.folder)["verdict"] != "not checked"
    (elsewhere,) = evaluate_under(recipe(), [whole / PLAIN], **again)
    assert transfer_of(judged.folder) == transfer_of(elsewhere.folder)
