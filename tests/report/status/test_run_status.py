import os

import numpy as np
import pytest

from moat.errors import RunFolderError
from moat.report.status.run_status import Live, RunStatus, State, live_of, run_status
from moat.runs import RunFolder
from moat.testing.run_record import run_record

PLANNED = {
    "folder": "pareto/r=0.5/seed-1",
    "label": "pareto r=0.5",
    "seed": 1,
    "epochs": 10,
    "batch_size": 50,
    "protocol_hash": "1" * 16,
}
STEP = {
    "step": 40,
    "steps": 100,
    "epoch": 5,
    "loss": {"natural": None, "pgd": 2.0},
    "weight": {"natural": 0.25, "pgd": 0.75},
    "lr": 0.1,
    "images_per_second": 200.0,
    "r_effective": 0.625,
    "clamped": True,
}
HELD_OUT = {"step": 32, "epoch": 4, "validation": {"natural": 90.0, "pgd": 30.0}, "score": 60.0}
RECORD = run_record(protocol_hash="1" * 16, training={"seconds": 21.5})


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run's folder with its recipe, which is written first."""
    folder = RunFolder(tmp_path / "seed-1")
    folder.path.mkdir()
    folder.write_recipe({"variant": [{"name": "pareto"}]})
    return folder


def status(run: RunFolder, planned: dict = PLANNED) -> RunStatus:
    return run_status(run, "pareto/r=0.5/seed-1", planned)


# What a run is at.


def test_a_run_without_a_folder_waits(tmp_path):
    found = status(RunFolder(tmp_path / "nowhere"))
    assert (found.state, found.trained, found.seconds) == (State.waiting, 0.0, None)
    assert (found.name, found.epochs) == ("pareto r=0.5, seed 1", 10)


def test_a_folder_with_nothing_of_a_run_in_it_waits(run):
    (run.path / "notes.txt").write_text("mine")
    assert status(run).state is State.waiting


def test_a_run_that_is_held_runs_and_says_how_far_it_is(run):
    run.append_log(HELD_OUT)
    run.append_log(STEP)
    with run.locked():
        found = status(run)
    assert found.state is State.running
    assert found.live == Live(
        epoch=5,
        step=40,
        steps=100,
        rate=200.0,
        mean_rate=200.0,
        loss=STEP["loss"],
        weight=STEP["weight"],
        validation=HELD_OUT["validation"],
        clamped_to=0.625,
    )
    assert found.trained == 0.4
    assert found.seconds == 25.0  # 100 steps of 50 images, 200 images a second
    assert found.left == pytest.approx(15.0)


def test_a_run_that_has_logged_nothing_yet_runs_all_the_same(run):
    with run.locked():
        found = status(run)
    assert (found.state, found.live, found.left) == (State.running, Live(), None)


def test_a_run_with_trained_weights_is_evaluated(run):
    with run.locked():
        run.save_model({})
        assert status(run).state is State.evaluating
        run.evaluation_parts("f" * 16).save(0, "pgd", {"outcomes": np.zeros(3)})
        found = status(run)
    assert (found.state, found.found_last, found.left) == (State.evaluating, (0, "pgd"), None)


def test_an_evaluation_without_weights_of_its_own_is_one(run):
    with run.locked():
        run.evaluation_parts("f" * 16).save(0, "pgd", {"outcomes": np.zeros(3)})
        assert status(run, {}).state is State.evaluating


def test_a_run_with_a_record_is_done(run):
    run.append_log(STEP)
    run.write_record(RECORD)
    found = status(run)
    assert (found.state, found.seconds, found.left) == (State.done, 21.5, 0.0)
    assert status(run, {}).state is State.done  # nothing says by what it should be judged


def test_a_run_that_another_protocol_judged_waits_with_nothing_to_train(run):
    run.write_record(RECORD.replace(protocol_hash="2" * 16))
    found = status(run)
    assert (found.state, found.trained, found.left) == (State.waiting, 1.0, 0.0)


@pytest.mark.parametrize("left", ["log.jsonl", ".holder.json"])
def test_what_was_begun_and_is_neither_held_nor_done_was_interrupted(run, left):
    (run.path / left).write_text("")
    os.utime(run.path / left, (1, 1))
    assert status(run).state is State.interrupted


def test_an_interrupted_run_says_where_it_stands(run):
    run.append_log(STEP)
    found = status(run)
    assert (found.state, found.live.epoch, found.trained) == (State.interrupted, 5, 0.4)


def test_a_run_that_was_interrupted_after_training_stands_in_its_evaluation(run):
    run.append_log(STEP)
    with run.locked():
        run.save_model({})
        run.evaluation_parts("f" * 16).save(0, "pgd", {"outcomes": np.zeros(3)})
    found = status(run)
    assert (found.state, found.trained, found.live) == (State.interrupted, 1.0, Live())
    assert found.found_last == (0, "pgd")


def test_a_failed_run_says_why_and_when(run):
    run.append_log(STEP)
    run.write_failure({"message": "it fell.", "when": "2026-01-31T14:05:07+01:00"})
    found = status(run)
    assert (found.state, found.why, found.when) == (State.failed, "it fell.", "2026-01-31 14:05")


def test_a_failure_stands_before_an_older_record(run):
    run.write_record(RECORD)
    run.write_failure({"message": "the folder holds a run that was trained otherwise."})
    assert status(run).state is State.failed
    with run.locked():
        assert status(run).state is State.running


@pytest.mark.parametrize("name", ["run.json", "failed.json"])
def test_a_file_that_is_not_ours_is_a_failure_that_names_it(run, name):
    (run.path / name).write_text("{ no")
    found = status(run)
    assert found.state is State.failed
    assert found.why.startswith(f"{run.path / name}: the file is truncated or not moat's (")


def test_an_error_without_a_place_gets_the_runs(run, monkeypatch):
    def refuse(self):
        raise RunFolderError("no.")

    monkeypatch.setattr(RunFolder, "read_record", refuse)
    assert status(run).why == "pareto/r=0.5/seed-1: no."


def test_a_run_that_nothing_was_said_of_is_called_by_its_folder(run):
    found = status(run, {"label": 3, "seed": True, "epochs": "ten"})
    assert (found.name, found.epochs) == ("pareto/r=0.5/seed-1", None)


# The end of the log.


def test_the_held_out_accuracy_is_the_last_epochs(run):
    run.append_log({**HELD_OUT, "epoch": 3, "validation": {"natural": 1.0}})
    for record in ({**STEP, "epoch": 4, "step": 30}, HELD_OUT, STEP, {**STEP, "step": 41}):
        run.append_log(record)
    live = live_of(run.newest_log())
    assert (live.step, live.validation) == (41, HELD_OUT["validation"])


def test_at_the_end_of_an_epoch_the_last_step_is_told_with_what_was_held_out():
    live = live_of([{**HELD_OUT, "step": 40, "epoch": 5}, STEP])
    assert (live.epoch, live.step, live.loss) == (5, 40, STEP["loss"])


def test_epochs_shorter_than_the_interval_of_the_log_are_told_all_the_same():
    live = live_of([HELD_OUT, {**HELD_OUT, "epoch": 3}, {**STEP, "step": 8, "epoch": 1}])
    assert (live.epoch, live.step) == (1, 8)
    assert live.validation == HELD_OUT["validation"]
    assert live_of([HELD_OUT]).epoch == 4  # nothing else was logged yet


def test_a_run_that_holds_nothing_out_is_read_back_for_an_epoch_and_no_further():
    def records():
        yield from ({**STEP, "step": step} for step in (40, 39))
        yield {**STEP, "epoch": 4, "step": 38}
        pytest.fail("read on")

    assert live_of(records()).step == 40


def test_a_log_that_is_not_ours_is_not_read_to_its_end():
    def records():
        for _ in range(10_000):
            yield {"event": "no"}
        pytest.fail("read on")

    assert live_of(records()) == Live()


NONSENSE = {
    "step": "many",
    "steps": True,
    "epoch": 1.5,
    "loss": [1, 2],
    "weight": {"natural": "heavy", "pgd": float("nan")},
    "images_per_second": float("inf"),
    "clamped": True,
    "r_effective": None,
}


def test_what_is_no_number_is_not_known():
    live = live_of([NONSENSE, {"validation": 3}])
    assert live == Live(weight={"natural": None, "pgd": None})


@pytest.mark.parametrize(
    "unknown", [{"steps": None}, {"images_per_second": 0.0}, {"images_per_second": -0.0}]
)
def test_without_a_rate_or_a_length_no_time_is_told(run, unknown):
    run.append_log({**STEP, **unknown})
    with run.locked():
        assert status(run).left is None
        assert status(run, {}).left is None  # nor without the size of a batch


def test_why_a_run_failed_steers_no_terminal(run):
    run.write_failure({"message": "it\x1b[2J fell\x07\nhere"})
    assert run_status(run, "a", {}).why == "it\\x1b[2J fell\\x07\nhere"
