import json
import os
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from moat.errors import BusyError, DiskError, RunFolderError
from moat.runs import RunFolder, StudyFolder, find_studies, study_folder
from moat.testing.run_record import run_record


def run(name: str, **about: object) -> dict:
    return {"folder": f"{name}/seed-0", "label": name, "seed": 0, **about}


A, B, C = (run(name, epochs=3, protocol_hash="1" * 16) for name in "abc")


@pytest.fixture
def study(tmp_path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def test_what_was_never_planned_is_none(study):
    assert study.planned() is None
    assert not study.path.exists()


def test_a_plan_is_read_back_in_the_recipes_order(study):
    study.plan([C, A], [A, B, C])
    assert study.planned() == [A, C]


def test_a_second_part_is_added_to_the_first(study):
    study.plan([B], [A, B, C])
    study.plan([A], [A, B, C])
    assert study.planned() == [A, B]


def test_what_was_asked_for_before_stays_as_it_was_then(study):
    study.plan([A, B], [A, B, C])
    changed = [{**one, "protocol_hash": "2" * 16} for one in (A, B, C)]
    study.plan(changed[1:2], changed)
    assert study.planned() == [A, changed[1]]


def test_a_run_that_the_recipe_has_no_more_is_waited_for_no_more(study):
    study.plan([A, B], [A, B])
    study.plan([A], [A, C])
    assert study.planned() == [A]


def test_what_is_done_counts_though_nobody_asked_for_it_and_however_it_is_judged(study):
    done = RunFolder(study.path / "b" / "seed-0")
    done.path.mkdir(parents=True)
    done.write_record(run_record())
    study.plan([A], [A, B, C])
    assert study.planned() == [A, {"folder": "b/seed-0", "label": "b", "seed": 0}]


def test_the_same_plan_is_not_written_again(study):
    study.plan([A, B], [A, B, C])
    before = (study.path / "study.json").stat().st_mtime_ns
    study.plan([B], [A, B, C])
    assert (study.path / "study.json").stat().st_mtime_ns == before


PLAN = """
import sys
from moat.runs import StudyFolder

runs = [{"folder": str(number)} for number in range(8)]
StudyFolder(sys.argv[1]).plan([runs[int(sys.argv[2])]], runs)
"""


def test_commands_that_begin_side_by_side_lose_none_of_each_others_runs(study):
    command = [sys.executable, "-c", PLAN, str(study.path)]
    begun = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait() for process in begun] == [0, 0, 0]
    assert study.planned() == [{"folder": str(number)} for number in range(3)]


def test_a_plan_that_another_process_does_not_let_go_of_is_an_error(study, monkeypatch):
    monkeypatch.setattr(study_folder, "_PATIENCE", 0.05)
    study.path.mkdir()
    with FileLock(study.path / ".study.lock"), pytest.raises(BusyError) as raised:
        study.plan([A], [A])
    assert str(raised.value) == (
        f"{study.path}: another process is writing the list of planned runs.\n"
        "  Stop it, and run the same command again."
    )


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskError, match="cannot write: Not a directory"):
        StudyFolder(tmp_path / "file" / "study").plan([A], [A])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"format": 1, "ru', "JSONDecodeError"),
        ("[]", "it is not a table"),
        ('{"format": 0, "runs": []}', "its format is not 1"),
        ('{"format": 1}', "it is not a list of runs"),
        ('{"format": 1, "runs": [{"label": "a"}]}', "it is not a list of runs"),
        ('{"format": 1, "runs": [1]}', "it is not a list of runs"),
    ],
)
def test_a_file_that_is_not_ours_is_named_and_stays(study, content, why):
    study.path.mkdir()
    path = study.path / "study.json"
    path.write_text(content)
    for action in (study.planned, lambda: study.plan([A], [A])):
        with pytest.raises(RunFolderError) as raised:
            action()
        assert raised.value.message.startswith("the file is truncated or not moat's (")
        assert why in raised.value.message
        assert raised.value.where == str(path)
    assert path.read_text() == content


# Where they lie.


def begin(folder) -> None:
    folder.mkdir(parents=True)
    RunFolder(folder).append_log({"step": 1})


def test_studies_and_runs_outside_of_them_are_found(tmp_path):
    for name in ("one", "two"):
        StudyFolder(tmp_path / name).plan([A], [A])
    begin(tmp_path / "one" / "a" / "seed-0")
    begin(tmp_path / "old" / "b" / "seed-0")
    RunFolder(tmp_path / "old" / "a" / "seed-0").write_failure({"message": "no"})
    begin(tmp_path / ".cache" / "c")
    (tmp_path / "notes").mkdir()
    studies, runs = find_studies(tmp_path)
    assert [study.path for study in studies] == [tmp_path / "one", tmp_path / "two"]
    old = tmp_path / "old"
    assert [run.path for run in runs] == [old / "a" / "seed-0", old / "b" / "seed-0"]


def test_a_study_is_found_by_its_own_folder_and_a_run_by_its_own(tmp_path):
    study = StudyFolder(tmp_path / "one")
    study.plan([A], [A])
    begin(tmp_path / "one" / "a" / "seed-0")
    assert [one.path for one in find_studies(study.path)[0]] == [study.path]
    run = tmp_path / "one" / "a" / "seed-0"
    assert [one.path for one in find_studies(run)[1]] == [run]
    assert [one.path for one in study.runs()] == [run]


# Why a run failed.


def test_a_failure_is_read_back_until_the_run_is_tried_again(tmp_path):
    folder = RunFolder(tmp_path / "deep" / "seed-0")
    assert folder.read_failure() is None
    folder.write_failure({"message": "no"})
    assert folder.read_failure() == {"message": "no"}
    with folder.locked():
        assert folder.read_failure() is None
    folder.write_failure({"message": "no"})
    folder.clear()
    assert folder.read_failure() is None
    folder.clear_failure()


def test_clearing_a_run_clears_its_event_files(tmp_path):
    folder = RunFolder(tmp_path)
    folder.tensorboard.mkdir()
    (folder.tensorboard / "events.out.tfevents.1.host.7.0.moat").write_text("")
    folder.clear()
    assert not folder.tensorboard.exists()


# What an evaluation has found.


def test_what_an_evaluation_found_last_is_told_by_its_newest_file(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.newest_part() is None
    parts = folder.evaluation_parts("f" * 16)
    for number, (batch, label) in enumerate([(0, "natural"), (0, "rt-grid"), (1, "natural")]):
        parts.save(batch, label, {"outcomes": np.zeros(3)})
        os.utime(parts._of(batch, label), (number, number))
    (parts.path / "notes.npz").write_bytes(b"mine")
    assert folder.newest_part() == (1, "natural")
    os.utime(parts._of(0, "rt-grid"), (9, 9))
    assert folder.newest_part() == (0, "rt-grid")


# What the plan knows of variants and of passes.


def test_variants_keep_the_order_in_which_they_were_first_planned(tmp_path):
    study = StudyFolder(tmp_path)
    first, second = {"folder": "b/seed-0"}, {"folder": "c/r=1/seed-0"}
    study.plan([first, second], [first, second])
    between = {"folder": "a/seed-0"}
    study.plan([between], [between, first])  # c was taken out of the recipe
    assert study.variants() == ["b", "c", "a"]
    assert StudyFolder(tmp_path / "none").variants() == []


def test_the_variants_of_an_older_plan_are_those_of_its_runs(tmp_path):
    study = StudyFolder(tmp_path)
    study.plan([{"folder": "b/seed-0"}], [{"folder": "b/seed-0"}])
    content = json.loads((tmp_path / "study.json").read_text())
    del content["variants"]
    (tmp_path / "study.json").write_text(json.dumps(content))
    assert study.variants() == ["b"]
    for broken in (7, [None], ["../up"]):
        (tmp_path / "study.json").write_text(json.dumps({**content, "variants": broken}))
        with pytest.raises(RunFolderError, match=r"its record is not moat's: variants"):
            study.variants()


def test_counted_passes_stay_as_long_as_the_run_is_the_same(tmp_path):
    study, run = StudyFolder(tmp_path), {"folder": "b/seed-0", "epochs": 2}
    counted = {**run, "passes": {"training": 5.0}}
    study.plan([counted], [counted])
    study.plan([run], [run])
    assert study.planned() == [counted]
    study.plan([{**run, "epochs": 3}], [run])
    assert study.planned() == [{**run, "epochs": 3}]


def test_a_list_of_a_newer_moat_is_named_and_stays(study):
    study.path.mkdir()
    path = study.path / "study.json"
    path.write_text('{"format": 2, "runs": []}')
    for action in (study.planned, lambda: study.plan([A], [A])):
        with pytest.raises(RunFolderError, match="format 2, from a newer moat"):
            action()
    assert path.read_text() == '{"format": 2, "runs": []}'
