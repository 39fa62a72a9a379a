"""Several runs at once: worker processes, what they tell, and what becomes of those that die."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path

import pytest

from moat import study
from moat.errors import BusyError, MoatError, TrainingError
from moat.events import (
    DataNote,
    EvaluationStep,
    Event,
    LogEntry,
    RunEnd,
    RunEvent,
    RunFailure,
    RunSkip,
    RunStart,
    StudyStart,
    TrainingStep,
    WorkerLoss,
)
from moat.parsing import parse_json
from moat.runs import RunFolder
from moat.study import pool

SMALL = Path(__file__).parents[1] / "small.toml"
TEXT = (
    SMALL.read_text("utf-8")
    .replace("epochs = 1", "epochs = 6")
    .replace('threats = ["pgd"]', 'threats = ["pgd"]\nsweep = { "optimizer.lr" = [0.5, 1e18] }')
)
PLAIN, FAILING = Path("study/plain/seed-0"), Path("study/pgd-at/lr=1e+18/seed-0")
SAME = (*("recipe.toml", "model.safetensors", "evaluation.npz", "evaluation.json", "gallery.npz"),)
"""Files in which no time stands."""


def pid_of(folder: Path) -> int:
    """Return the process that is at a run."""
    return parse_json((folder / ".holder.json").read_text("utf-8"))["pid"]


def is_gone(pid: int) -> bool:
    """Say whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@dataclass
class Murder:
    """Kills the worker of one run in the midst of its second epoch, and notes what it hears."""

    of: Path
    heard: list[Event] = field(default_factory=list)
    done: bool = False

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        if (
            isinstance(event, TrainingStep)
            and (event.run, event.step) == (self.of, 8)
            and not self.done
        ):
            self.done = True
            os.kill(pid_of(event.run), signal.SIGKILL)


@dataclass
class Told:
    """How a study ended, and what was heard of it."""

    result: study.StudyResult
    heard: list[Event]
    alone: Path  # the results of the same study, one run after another

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.heard if isinstance(event, kind)]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Told:
    """Train a study by two jobs, one of its runs failing, the worker of another killed."""
    folder = tmp_path_factory.mktemp("jobs")
    path = folder / "study.toml"
    path.write_text(TEXT, "utf-8")
    alone = study.train(path, results=folder / "alone", device="cpu")
    assert list(alone.failed) == [folder / "alone" / FAILING]
    listener = Murder(folder / "results" / PLAIN)
    result = study.train(path, results=folder / "results", device="cpu", jobs=2, listener=listener)
    return Told(result, listener.heard, folder / "alone")


def test_a_run_that_fails_stops_no_other(told):
    results = told.result.folder.parent
    assert len(told.result.done) == 4
    assert list(told.result.failed) == [results / FAILING]
    (error,) = told.result.failed.values()
    assert isinstance(error, TrainingError)
    assert "is no longer finite" in str(error)
    assert RunFolder(results / FAILING).read_failure()["message"] == error.message
    assert (told.result.held, told.result.skipped) == ({}, [])


def test_every_run_has_the_bytes_that_it_has_alone_at_as_many_threads(told):
    results = told.result.folder.parent
    for run in told.result.done:
        for name in SAME:
            other = told.alone / run.relative_to(results) / name
            assert (run / name).read_bytes() == other.read_bytes(), (run, name)


def test_a_run_whose_worker_is_killed_is_taken_up_at_its_last_epoch(told):
    (loss,) = told.of(WorkerLoss)
    run = told.result.folder.parent / PLAIN
    assert loss.run == run
    assert loss.text == "its worker process was ended by SIGKILL; another one resumes it"
    steps = [event.step for event in told.of(TrainingStep) if event.run == run]
    again = next(n for n in range(1, len(steps)) if steps[n] != steps[n - 1] + 1)
    assert steps == [*range(1, again + 1), *range(steps[again], 37)]
    assert steps[again] % 6 == 1  # the first of an epoch
    assert 7 <= steps[again] <= again + 1 <= 37  # of the one in which it died
    assert steps[again] + 6 > again
    assert [r["step"] for r in RunFolder(run).read_log() if "loss" in r] == list(range(2, 37, 2))


def test_each_run_tells_its_story_in_order(told):
    assert told.of(StudyStart) == told.heard[:1]
    (start,) = told.of(StudyStart)
    assert (start.runs, start.jobs, len(start.planned)) == (5, 2, 5)
    assert len(told.of(DataNote)) == 1  # though each worker reads the data
    stories = defaultdict(list)
    for event in told.heard:
        if isinstance(event, RunEvent) and event.run != told.result.folder.parent / PLAIN:
            stories[event.run].append(event)
    assert set(stories) == set(start.planned) - {told.result.folder.parent / PLAIN}
    order = [RunStart, TrainingStep, EvaluationStep, RunEnd]
    for run, story in stories.items():
        kinds = [type(event) for event in story if type(event) is not LogEntry]
        if run in told.result.failed:
            assert (kinds[0], kinds[-1]) == (RunStart, RunFailure)
            continue
        assert list(dict.fromkeys(kinds)) == order
        assert kinds == sorted(kinds, key=order.index)
        assert len([event for event in story if isinstance(event, LogEntry)]) == 18


def test_no_worker_is_left(told):
    assert active_children() == []


def test_what_is_finished_is_skipped_without_a_worker(told, tmp_path, monkeypatch):
    shutil.copytree(told.result.folder, tmp_path / "results" / "study")
    path = tmp_path / "study.toml"
    path.write_text(TEXT, "utf-8")
    monkeypatch.setattr(pool, "_started", lambda task: pytest.fail("a worker was started"))
    only = {"only": ["plain", "pareto"], "results": tmp_path / "results", "device": "cpu"}
    heard = []
    result = study.train(path, **only, jobs=2, listener=heard.append)
    assert len(result.skipped) == 3
    assert [type(event) for event in heard] == [StudyStart, RunSkip, RunSkip, RunSkip]


# what stops everything


LONG = TEXT.replace("epochs = 6", "epochs = 5000")
MAIN = "from moat.cli import main\nif __name__ == '__main__':\n    main()\n"


@pytest.fixture
def at_work(tmp_path):
    """Start a study of two jobs that takes long; yield its process and the folders at work."""
    (tmp_path / "study.toml").write_text(LONG, "utf-8")
    (tmp_path / "run_moat.py").write_text(MAIN, "utf-8")
    command = [sys.executable, "run_moat.py", "train", "study.toml", "--device", "cpu"]
    command += ["--jobs", "2", "--only", "plain", "--only", "pareto"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=-1, stderr=-2, text=True, start_new_session=True
    ) as process:
        folders = [tmp_path / "results" / PLAIN, tmp_path / "results/study/pareto/r=0.5/seed-0"]
        until = time.monotonic() + 120
        while not all((folder / "checkpoint.pt").exists() for folder in folders):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, folders
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for_end(pids: list[int]) -> None:
    until = time.monotonic() + 30
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < until, "a worker outlived the process that started it"
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_all_and_keeps_every_checkpoint(at_work):
    process, folders = at_work
    pids = [pid_of(folder) for folder in folders]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process hears it
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted. Finished runs and the last checkpoint are kept" in said
    assert "Traceback" not in said
    wait_for_end(pids)
    for folder in folders:
        assert RunFolder(folder).load_checkpoint()["progress"]["epoch"] >= 1
        assert not (folder / ".holder.json").exists()  # it was let go of
        with RunFolder(folder).locked():
            pass


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux for processes")
def test_workers_do_not_outlive_the_process_that_started_them(at_work):
    process, folders = at_work
    pids = [pid_of(folder) for folder in folders]
    process.kill()
    process.wait()
    wait_for_end(pids)
    assert all(RunFolder(folder).load_checkpoint() for folder in folders)


# what goes wrong with workers: stand-ins for processes, so that nothing is trained


class Line:
    """A worker's line: what it says, then silence."""

    def __init__(self, *words):
        self.words, self.orders = list(words), []

    def recv(self):
        if not self.words:
            raise EOFError
        return self.words.pop(0)

    def send(self, word):
        self.orders.append(word)

    def close(self):
        pass


class Process:
    """A worker's process that is over."""

    def __init__(self, exitcode):
        self.exitcode = exitcode

    def is_alive(self):
        return False

    def join(self, timeout=None):
        pass

    def terminate(self):
        pass


@pytest.fixture
def staffed(recipe, results, monkeypatch):
    """Run the plain run by workers that say these words and end with these codes."""

    def run(*workers, listener=lambda event: None):
        monkeypatch.setattr(pool, "wait", lambda lines: lines[:1])
        staff = iter([pool._Worker(Process(code), Line(*words)) for code, *words in workers])
        monkeypatch.setattr(pool, "_started", lambda task: next(staff))
        return study.train(
            recipe(), only=["plain"], results=results, device="cpu", jobs=2, listener=listener
        )

    return run


def test_a_run_that_kills_three_workers_at_one_place_fails(staffed, results):
    step = TrainingStep(run=results / PLAIN, epoch=1, epochs=1, step=2, steps=6)
    heard = []
    result = staffed(*[(-9, pool.Ready(), step)] * 3, listener=heard.append)
    (error,) = result.failed.values()
    assert str(error) == (
        "3 worker processes ended at the same place of this run; the last was ended by SIGKILL.\n"
        "  Too little memory is the usual reason: use fewer --jobs or a smaller "
        "training.pass_size. The last checkpoint is kept."
    )
    assert error.exit_code == 1
    assert RunFolder(results / PLAIN).read_failure()["message"] == error.message
    assert sum(isinstance(event, WorkerLoss) for event in heard) == 2


def test_a_run_that_comes_further_between_deaths_goes_on(staffed, results):
    steps = [
        TrainingStep(run=results / PLAIN, epoch=n, epochs=9, step=n, steps=9) for n in range(1, 6)
    ]
    result = staffed(
        *[(-9, pool.Ready(), step) for step in steps], (0, pool.Ready(), pool.Answer(ended=True))
    )
    assert result.failed == {}


@pytest.mark.parametrize(
    ("workers", "how"),
    [([(1,)], "ended with exit code 1"), ([(-9,)] * 3, "was ended by SIGKILL")],
)
def test_workers_that_cannot_start_are_an_error_that_says_what_a_script_needs(
    workers, how, staffed
):
    with pytest.raises(MoatError) as refused:
        staffed(*workers)
    assert str(refused.value) == (
        f"jobs: a worker process {how} as it started.\n"
        '  In a script, moat.train(..., jobs=...) must stand below `if __name__ == "__main__":`, '
        "because each worker imports the script. Any other reason is printed above."
    )


def test_a_signal_without_a_name_is_told_by_its_number():
    assert pool._how(-99) == "was ended by signal 99"


def test_a_worker_that_cannot_plan_the_study_says_why(staffed):
    error = {"message": "no.", "where": "study.toml", "hint": "", "kind": "RecipeError"}
    with pytest.raises(study.all_runs.MoatError, match=r"^study\.toml: no\.$") as refused:
        staffed((0, pool.Refusal({**error, "exit_code": 2})))
    assert type(refused.value).__name__ == "RecipeError"


def test_a_run_that_is_held_is_asked_for_again_and_left_to_its_holder(staffed, results):
    word = BusyError("another process is writing this run.")
    held = study.events.error_table(word)
    about = {"run": results / PLAIN, "label": "plain", "variant": "plain", "sweep": {}, "seed": 0}
    told = (pool.Ready(), study.runner.RunHold(**about, **held), pool.Answer(ended=False))
    result = staffed((0, *told), (0, *told))
    assert result.failed == {}
    assert [str(error) for error in result.held.values()] == [word.message]


def test_a_listener_that_fails_fails_the_run_it_was_told_of(staffed, results):
    def fail(event):
        if isinstance(event, TrainingStep):
            raise ValueError("no")

    step = TrainingStep(run=results / PLAIN, epoch=1, epochs=1, step=1, steps=6)
    result = staffed((0, pool.Ready(), step), listener=fail)
    (error,) = result.failed.values()
    assert error.message == "ValueError: no"
