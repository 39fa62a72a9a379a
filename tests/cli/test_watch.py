"""`moat watch`: what the shell sees of a study that somebody else trains."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from moat.cli import console as where
from moat.cli.commands import watch as command
from moat.runs import RunFolder, StudyFolder
from moat.testing.run_record import run_record

CHILD = "import sys; from moat import cli; sys.argv[0] = 'moat'; cli.main()"
DONE = run_record(variant="natural")
RUNS = [{"folder": f"natural/seed-{s}", "label": "natural", "seed": s} for s in (0, 1)]
STUDY = Path("results", "study")
HINT = "  `moat train RECIPE` trains runs; name the folder they are written to.\n"


@pytest.fixture
def folders(tmp_path) -> list[RunFolder]:
    """Two runs that are planned in ./results/study."""
    study = StudyFolder(tmp_path / STUDY)
    study.plan(RUNS, RUNS)
    made = [RunFolder(study.path / run["folder"]) for run in RUNS]
    for folder in made:
        folder.path.mkdir(parents=True)
    return made


@pytest.fixture
def meanwhile(monkeypatch):
    """Do one thing after another while the command waits for its next reading."""

    def happens(*things) -> list[float]:
        waited, coming = [], iter(things)

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            next(coming)()

        monkeypatch.setattr(command.time, "sleep", sleep)
        return waited

    return happens


def interrupt() -> None:
    raise KeyboardInterrupt


def test_once_shows_the_state_and_ends(moat, folders):
    folders[0].write_record(DONE)
    answer = moat("watch", "results", "--once")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("study\n")
    assert "1 of 2 runs done, 1 waiting\n" in answer.out
    assert "\x1b" not in answer.out


def test_once_exits_with_1_where_a_run_failed(moat, folders):
    folders[0].write_failure({"message": "it fell.", "when": "2026-01-31T14:05:00+01:00"})
    answer = moat("watch", STUDY, "--once")
    assert answer.code == 1
    assert "failed: natural, seed 0, 2026-01-31 14:05: it fell.\n" in answer.out


def test_what_is_no_terminal_gets_a_line_a_change_until_all_is_done(moat, folders, meanwhile):
    one, two = folders
    waited = meanwhile(
        lambda: None,
        lambda: one.write_record(DONE),
        lambda: two.append_log({"step": 1}),
        lambda: two.write_record(DONE.replace(seed=1)),
    )
    answer = moat("watch", "results", "--every", "0.5")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-3:] == [
        "study: natural, seed 0: done (1 of 2 runs done, 1 waiting)",
        "study: natural, seed 1: interrupted (1 of 2 runs done, 1 interrupted)",
        "study: natural, seed 1: done (2 of 2 runs done)",
    ]
    assert waited == [0.5] * 4


def test_a_study_that_ends_with_a_failure_exits_with_1(moat, folders, meanwhile):
    folders[0].write_record(DONE)
    meanwhile(lambda: folders[1].write_failure({"message": "it fell."}))
    answer = moat("watch", "results")
    assert answer.code == 1
    assert answer.out.endswith("natural, seed 1: failed: it fell. (1 of 2 runs done, 1 failed)\n")


def test_an_interrupt_ends_the_watching_quietly(moat, folders, meanwhile):
    meanwhile(interrupt)
    answer = moat("watch", "results")
    assert (answer.code, answer.err) == (0, "")


def test_a_terminal_shows_the_state_as_it_changes(moat, folders, meanwhile, monkeypatch):
    shown = Console(file=io.StringIO(), width=80, force_terminal=True, record=True)
    monkeypatch.setattr(where, "console", shown)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    folders[0].write_record(DONE)
    meanwhile(lambda: folders[1].write_record(DONE.replace(seed=1)))
    assert moat("watch", "results").code == 0
    text = shown.export_text()
    assert text.index("1 of 2 runs done, 1 waiting") < text.index("2 of 2 runs done")


@pytest.mark.parametrize("once", [["--once"], []])
def test_a_folder_that_cannot_be_watched_exits_with_2_and_says_why(moat, tmp_path, once):
    answer = moat("watch", "nowhere", *once)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"nowhere: the folder does not exist.\n{HINT}"
    (tmp_path / "empty").mkdir()
    answer = moat("watch", "empty", *once)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"empty: this folder contains neither a study nor a run.\n{HINT}"


@pytest.mark.parametrize("arguments", [["watch"], ["watch", "results", "--every", "0"]])
def test_a_call_that_cannot_be_understood_exits_with_2(moat, arguments):
    assert moat(*arguments).code == 2


def once(moat) -> str:
    return moat("watch", "results", "--once").out


def test_a_study_is_followed_from_its_start_over_a_kill_to_its_end(moat, recipe, tmp_path):
    asked = ["train", recipe().name, "--only", "plain", "--set", "training.epochs=60"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", CHILD, *asked]
    with subprocess.Popen(arguments, cwd=tmp_path, env=env, stdout=-1, stderr=-1) as process:
        while not list(tmp_path.rglob("checkpoint.pt")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)  # it holds its run, and does not end before we looked
        running = once(moat)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert "0 of 1 runs done, 1 running" in running
    assert "plain, seed 0  epoch " in running
    assert "/60, step " in running
    assert "held-out" not in running
    assert "  loss " in running
    assert "interrupted: plain, seed 0, in epoch " in once(moat)
    assert moat(*asked).code == 0
    assert "1 of 1 runs done\n" in once(moat)
