import json
from dataclasses import asdict
from datetime import datetime

import pytest

from moat.errors import BusyError, DiskError, TrainingError
from moat.runs import RunFolder, StudyFolder
from moat.study import StudyListener, plan
from moat.study.estimates import work_of
from moat.study.planning import keep_failure


def planned(results) -> list[str]:
    return [run["folder"] for run in StudyFolder(results / "study").planned() or []]


class Look(StudyListener):
    """Looks at the plan when the study begins."""

    def __init__(self, results) -> None:
        self.results, self.seen = results, []

    def study_started(self, runs: int) -> None:
        self.seen = planned(self.results)


def test_the_planned_runs_are_known_before_the_first_of_them_begins(recipe, train, results):
    look = Look(results)
    train(recipe(), only=("plain", "pgd-at"), listener=look)
    assert look.seen == ["plain/seed-0", "pgd-at/seed-0"]
    runs = StudyFolder(results / "study").planned()
    (plain, _) = plan(recipe(), only=("plain", "pgd-at"))
    assert runs[0] == {
        "folder": "plain/seed-0",
        "label": "plain",
        "seed": 0,
        "epochs": 1,
        "batch_size": 256,
        "protocol_hash": plain.protocol_hash,
        "passes": asdict(work_of(plain, plain.dataset.load())),
    }


def test_another_part_of_the_study_is_added_in_the_recipes_order(recipe, train, trained, results):
    trained(recipe(), "pgd-at")
    train(recipe(), only=("plain",))
    assert planned(results) == ["plain/seed-0", "pgd-at/seed-0"]


def test_a_list_that_cannot_be_written_does_not_stop_the_study(recipe, train, results):
    (results / "study" / "study.json").mkdir(parents=True)
    assert train(recipe(), only=("plain",)).done


def test_a_run_that_failed_says_why_until_it_is_tried_again(recipe, train, results):
    path = recipe("lr = 0.5", "lr = 1e30")
    folder = RunFolder(results / "study" / "pgd-at" / "seed-0")
    (error,) = train(path, only=("pgd-at",)).failed.values()
    said = folder.read_failure()
    when = datetime.fromisoformat(said.pop("when"))
    assert abs((datetime.now().astimezone() - when).total_seconds()) < 600
    assert said == {"message": error.message, "where": error.where, "hint": error.hint}
    assert train(recipe(), only=("pgd-at",)).done  # nothing was kept of what was trained
    assert folder.read_failure() is None


class Dies(StudyListener):
    def study_started(self, runs: int) -> None:
        raise KeyboardInterrupt


def test_what_failed_and_is_asked_for_again_waits(recipe, train, results):
    folders = [RunFolder(results / "study" / name / "seed-0") for name in ("plain", "pgd-at")]
    for folder in folders:
        folder.write_failure({"message": "no"})
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), only=("pgd-at",), listener=Dies())
    assert folders[0].read_failure() == {"message": "no"}  # it was not asked for
    assert folders[1].read_failure() is None


def test_a_run_that_another_process_writes_has_not_failed(tmp_path):
    keep_failure(RunFolder(tmp_path), BusyError("another process is writing this run."))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_does_not_stop_the_other_runs(tmp_path):
    (tmp_path / "file").write_text("no folder")
    keep_failure(RunFolder(tmp_path / "file" / "seed-0"), DiskError("cannot write."))


def test_a_failure_is_a_file_for_people_too(tmp_path):
    keep_failure(RunFolder(tmp_path), TrainingError("it fell.", where="here", hint="mend it"))
    said = json.loads((tmp_path / "failed.json").read_text("utf-8"))
    assert list(said) == ["message", "where", "hint", "when"]
