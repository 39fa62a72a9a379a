"""The sanity gate as a study makes it: stored with each evaluation, images found on another run."""

import pytest
import torch

from moat.records import RunRecord
from moat.runs import RunFolder
from moat.study.other_model import NO_OTHER, ONLY_RUN, Partner, partner_model

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


def found_for(folder) -> Partner:
    run = RunFolder(folder)
    return partner_model(run, run.read_record().model, "cpu")


def without_partner(record: RunRecord) -> RunRecord:
    table = record.as_table()
    del table["partner"]
    return RunRecord.model_validate(table)


@pytest.fixture
def older_runs(study_runs):
    """The same, with records that are older than partners."""
    for folder in study_runs:
        run = RunFolder(folder)
        run.write_record(without_partner(run.read_record()))
    return study_runs


def test_every_evaluation_keeps_every_check(study_runs):
    for folder in study_runs:
        assert list(gate_of(folder)) == NAMES


def test_a_record_that_is_older_than_partners_has_the_finished_run_with_the_most_threats(
    older_runs,
):
    assert found_for(older_runs[1]).other.name == "plain"
    found = found_for(older_runs[0])
    assert found.other.name == "pgd-at"
    kept = RunFolder(older_runs[1]).load_model()
    assert all(torch.equal(v, kept[name]) for name, v in found.other.model.state_dict().items())


def test_of_several_another_variant_with_the_most_threats_is_taken(recipe, trained):
    for folder in trained(recipe("[0.5, 1.0]", "[0.5]")):
        run = RunFolder(folder)
        run.write_record(without_partner(run.read_record()))
    assert found_for(folder.parents[2] / "plain" / "seed-0").other.name == "pareto r=0.5"
    assert found_for(folder).other.name == "pgd-at"


@pytest.mark.parametrize(
    "damage",
    [
        lambda run: (run / "model.safetensors").write_bytes(b"torn"),
        lambda run: (run / "run.json").write_text("{"),
        lambda run: _with_other_images(RunFolder(run)),
    ],
    ids=["weights", "record", "images"],
)
def test_for_an_older_record_a_run_that_is_of_no_use_is_passed_over(damage, older_runs):
    damage(older_runs[1])
    found = found_for(older_runs[0])
    assert (found.other, found.why_not, found.is_open) == (None, NO_OTHER, False)


def _with_other_images(run: RunFolder) -> None:
    record = run.read_record()
    run.write_record(record.replace(data={**record.data, "digest": "another"}))


def test_a_study_of_one_run_says_that_there_is_no_other(recipe, trained):
    text = recipe().read_text("utf-8")
    path = recipe(text[text.rindex('[[variant]]\nname = "pgd-at"') :], "")
    (folder,) = trained(path)
    assert gate_of(folder)["transfer"].text == ONLY_RUN
    record = RunFolder(folder).read_record()
    assert (record.knows_partner, record.partner) == (True, None)
