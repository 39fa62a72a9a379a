import copy
import json
import sys
from dataclasses import asdict
from datetime import datetime

import pytest

from moat import scalarizers
from moat.errors import BusyError, DiskError, TrainingError
from moat.events import Event, StudyStart
from moat.runs import RunFolder, StudyFolder
from moat.study import estimate_all, plan
from moat.study.planning import keep_failure
from moat.study.work import DESCENT, work_of


def planned(results) -> list[str]:
    return [run["folder"] for run in StudyFolder(results / "study").planned() or []]


class Look:
    """Looks at the plan when the study begins."""

    def __init__(self, results) -> None:
        self.results, self.seen = results, []

    def __call__(self, event: Event) -> None:
        if isinstance(event, StudyStart):
            self.seen = planned(self.results)


def test_the_planned_runs_are_known_before_the_first_of_them_begins(recipe, train, results):
    look = Look(results)
    train(recipe(), only=("plain", "pgd-at"), listener=look)
    assert look.seen == ["plain/seed-0", "pgd-at/seed-0"]
    runs = StudyFolder(results / "study").planned()
    (plain, _) = plan(recipe(), only=("plain", "pgd-at"))
    work = asdict(work_of(plain, plain.dataset.load()))
    assert runs[0] == {
        "folder": "plain/seed-0",
        "label": "plain",
        "seed": 0,
        "epochs": work.pop("epochs"),
        "batch_size": 256,
        "protocol_hash": plain.protocol_hash,
        "passes": work,
    }


def test_another_part_of_the_study_is_added_in_the_recipes_order(recipe, train, trained, results):
    trained(recipe(), "pgd-at")
    train(recipe(), only=("plain",))
    assert planned(results) == ["plain/seed-0", "pgd-at/seed-0"]


NORMED = """
from torch import nn

class Normed(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
"""
VARIANTS = """
[[variant]]
name = "mgda"
threats = ["pgd", "flow"]
scalarizer = "mgda"

[[variant]]
name = "max"
threats = ["pgd", "flow"]
scalarizer = "max"
"""


@pytest.mark.parametrize("model", ["tiny-cnn", "python:moat_test_normed:Normed"])
def test_as_many_passes_are_planned_as_the_dry_run_counts(
    recipe, train, results, tmp_path, monkeypatch, model
):
    (tmp_path / "moat_test_normed.py").write_text(NORMED, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    width = "\nwidth = 4" if model == "tiny-cnn" else ""
    path = recipe('"tiny-cnn"\nwidth = 4', f'"{model}"{width}', more=VARIANTS)
    counted = {}
    for one in estimate_all(plan(path), "cpu"):
        examples = one.plan.training.epochs * one.train_examples
        an_example = one.search.passes + DESCENT * one.descent.passes
        counted[one.plan.label] = pytest.approx(examples * an_example)
    train(path, only=("plain",))
    train(path, only=("mgda", "max", "pgd-at"), listener=Look(results))
    runs = StudyFolder(results / "study").planned()
    sys.modules.pop("moat_test_normed", None)
    known = {run["label"]: run["passes"]["training"] for run in runs}
    assert known == {label: counted[label] for label in known}
    assert set(known) == {"plain", "mgda", "max", "pgd-at"}


FAILING = """
from moat.scalarizers import LaggedScalarizer, scalarizer

@scalarizer("failing")
class Failing(LaggedScalarizer):
    def plan(self, names, batch, generator=None):
        return 1 / 0

    def weights(self, names):
        return 1 / 0
"""


def test_a_plug_in_that_fails_to_be_counted_leaves_the_others_counted(
    recipe, train, results, tmp_path, monkeypatch
):
    known = scalarizers.registry
    monkeypatch.setattr(known, "_entries", copy.copy(known._entries))
    (tmp_path / "failing.py").write_text(FAILING, "utf-8")
    more = '\n[[variant]]\nname = "broken"\nthreats = ["pgd"]\nscalarizer = "failing"\n'
    path = recipe("[data]", 'plugins = ["failing.py"]\n[data]', more=more)
    result = train(path, only=("broken", "plain"))
    assert [folder.parent.name for folder in result.done] == ["plain"]
    (failure,) = result.failed.values()
    assert "division by zero" in str(failure)
    runs = {run["label"]: run for run in StudyFolder(results / "study").planned()}
    assert ("passes" in runs["plain"], "passes" in runs["broken"]) == (True, False)


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


def die(event: Event) -> None:
    raise KeyboardInterrupt


def test_what_failed_and_is_asked_for_again_waits(recipe, train, results):
    folders = [RunFolder(results / "study" / name / "seed-0") for name in ("plain", "pgd-at")]
    for folder in folders:
        folder.write_failure({"message": "no"})
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), only=("pgd-at",), listener=die)
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
