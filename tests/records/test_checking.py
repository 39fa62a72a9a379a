from pathlib import Path

import pytest

from moat.errors import RunFolderError
from moat.records import LogLine, PlannedRuns, RunRecord, check_lines, check_record, typed
from moat.testing.run_record import run_record

PROTOCOL = {"threats": {"pgd": {"at_steps": [1, 2]}}, "summed": ["pgd"]}
RUN = run_record(protocol=PROTOCOL).as_table()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threats": []}, "protocol.threats is [] and should be of type dict."),
        ({"threats": {"pgd": []}}, "protocol.threats.pgd is [] and should be of type dict."),
        (
            {"threats": {"pgd": {"at_steps": {"a": 1}}}},
            "protocol.threats.pgd.at_steps is {'a': 1} and should be of type list.",
        ),
        (
            {"threats": {"pgd": {"at_steps": [{}]}}},
            "protocol.threats.pgd.at_steps.0 is {} and should be of type int.",
        ),
        (
            {"threats": {"pgd": {"at_epsilon": [0.0]}}},
            "protocol.threats.pgd.at_epsilon.0 is 0.0 and should be greater than 0.",
        ),
        ({"summed": "pgd"}, "protocol.summed is 'pgd' and should be of type list."),
        ({"ensembles": {"e": [1]}}, "protocol.ensembles.e.0 is 1 and should be of type str."),
        ({"falls": "never"}, "protocol.falls is 'never' and should be 'last' or 'any'."),
    ],
)
def test_a_key_of_another_kind_is_named_with_its_file(change, said):
    record = {**RUN, "protocol": {**PROTOCOL, **change}}
    with pytest.raises(RunFolderError) as refused:
        typed(RunRecord, record, Path("run.json"), "the mend")
    assert str(refused.value) == f"run.json: its record is not moat's: {said}\n  the mend"


@pytest.mark.parametrize("study", ["/etc", "..", "a/b", "", "a\0b", "x" * 256])
@pytest.mark.parametrize("key", ["study", "variant"])
def test_what_becomes_a_folder_is_a_name(key, study):
    with pytest.raises(RunFolderError, match=f"{key} is .* and should be a name, and it "):
        typed(RunRecord, {**RUN, key: study}, Path("run.json"), "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"loss": {}}, "step is missing."),
        ({"step": None}, "step is None and should be of type int."),
        ({"step": -1}, "step is -1 and should be greater than or equal to 0."),
        ({"step": 1, "loss": None}, "loss is None and should be of type dict."),
        ({"step": 1, "loss": {"pgd": "x"}}, "loss.pgd is 'x' and should be a number."),
        ({"step": 1, "lr": float("inf")}, "lr is inf and should be a finite number."),
        ({"step": 1, "clamped": 1}, "clamped is 1 and should be true or false."),
    ],
)
def test_a_line_of_a_log_is_named_with_its_key(line, said):
    with pytest.raises(RunFolderError) as refused:
        check_lines(LogLine, [{"step": 0}, line], Path("log.jsonl"), "")
    assert str(refused.value) == f"log.jsonl, line 2: its record is not moat's: {said}"


def test_huge_numbers_are_shown_in_part():
    with pytest.raises(RunFolderError) as refused:
        check_lines(LogLine, [{"step": 10**400}], Path("log.jsonl"), "")
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("folder", ["/x", "..", "a/../b", "a//b", "a/", ""])
def test_a_planned_run_lies_below_its_study(folder):
    with pytest.raises(RunFolderError, match=r"runs\.0\.folder is .* should be a path below"):
        check_record(PlannedRuns, {"runs": [{"folder": folder}]}, Path("study.json"), "")


def test_unknown_keys_are_kept():
    record = typed(RunRecord, {**RUN, "later": {"a": [1]}}, Path("run.json"), "")
    assert record.as_table()["later"] == {"a": [1]}
    check_lines(LogLine, [{"step": 1, "alpha": 0.5}], Path("log.jsonl"), "")
