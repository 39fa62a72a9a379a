"""The sanity gate as a study makes it: stored with each evaluation, images found on another run."""

import pytest
import torch

from moat.evaluation.sanity import Other
from moat.runs import RunFolder
from moat.study import evaluate_under
from moat.study.other_model import other_model

NAMES = [
    *("logits", "gradients", "loss", "reach", "strengths", "restarts"),
    *("confidence", "differences", "random search", "another start", "dlr"),
    *("unbounded", "transfer"),
]


@pytest.fixture
def study_runs(recipe, trained):
    """The folders of two finished runs of one study, in the order of their training."""
    return trained(recipe(), "plain", "pgd-at")


def gate_of(folder):
    _, about = RunFolder(folder).load_evaluation()
    return {check.name: check for check in about.sanity}


def found_for(folder) -> Other | None:
    run = RunFolder(folder)
    return other_model(run, run.read_record().model, "cpu")


def test_every_evaluation_keeps_every_check(study_runs):
    for folder in study_runs:
        assert list(gate_of(folder)) == NAMES


def test_the_first_run_has_no_other_to_find_images_on_and_the_second_has(study_runs):
    first, second = (gate_of(folder)["transfer"] for folder in study_runs)
    assert first.verdict == "not checked"
    assert first.text == "No other finished run of the study was there to find images on."
    assert second.verdict != "not checked"
    assert second.figure is not None


def test_evaluated_again_the_first_run_finds_the_second(study_runs):
    other = found_for(study_runs[0])
    assert other is not None
    assert other.name == "pgd-at"
    kept = RunFolder(study_runs[1]).load_model()
    assert all(torch.equal(v, kept[name]) for name, v in other.model.state_dict().items())


def test_the_best_total_is_taken_of_several(recipe, trained):
    *study_runs, third = trained(recipe("[0.5, 1.0]", "[0.5]"))
    for folder, total in zip((*study_runs[1:], third), (10.0, 20.0), strict=True):
        run = RunFolder(folder)
        record = run.read_record()
        run.write_record(record.replace(scores={**record.scores, "total": total}))
    assert found_for(study_runs[0]).name == RunFolder(third).read_record().label


def test_a_run_on_other_data_is_passed_over(study_runs):
    run = RunFolder(study_runs[1])
    record = run.read_record()
    run.write_record(record.replace(data={**record.data, "digest": "another"}))
    assert found_for(study_runs[0]) is None


def test_a_run_that_cannot_be_loaded_is_passed_over(study_runs):
    (study_runs[1] / "model.safetensors").write_bytes(b"torn")
    assert found_for(study_runs[0]) is None


def test_a_broken_record_is_passed_over(study_runs):
    (study_runs[1] / "run.json").write_text("{")
    assert found_for(study_runs[0]) is None


def test_an_evaluation_under_another_protocol_looks_among_the_runs_it_is_of(study_runs, recipe):
    (judged,) = evaluate_under(recipe(), study_runs[:1], overrides=['evaluation.falls="any"'])
    assert judged.error is None
    assert gate_of(judged.folder)["transfer"].verdict != "not checked"
    assert found_for(judged.folder).name == "pgd-at"
