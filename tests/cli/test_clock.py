import pytest
from rich.progress import Progress

from moat.cli import clock
from moat.cli.clock import LeftColumn, StudyClock, left_text
from moat.runs import RunFolder, StudyFolder
from moat.testing.run_record import run_record

PASSES = {"training": 100.0, "validation": 0.0, "evaluation": 20.0, "gate": 0.0, "parts": 2}


@pytest.fixture
def now(monkeypatch) -> list[float]:
    """The seconds of the clock, to be set."""
    seconds = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: seconds[0])
    return seconds


def test_the_time_left_of_a_study_is_that_of_the_runs_asked_for_and_runs_down(tmp_path, now):
    runs = [{"folder": f"{name}/seed-0", "label": name, "passes": PASSES} for name in "abc"]
    StudyFolder(tmp_path).plan(runs, runs)
    told = StudyClock()
    assert told.left is None
    told.follow(tmp_path, [tmp_path / "a/seed-0", tmp_path / "b/seed-0"])
    assert told.left is None  # nothing was measured
    assert told.line == "0 s elapsed"
    done = RunFolder(tmp_path / "a/seed-0")
    done.path.mkdir(parents=True)
    done.write_clock({"training": 60.0})
    done.write_clock({"evaluation": 10.0, "protocol_hash": "1"})
    done.write_record(run_record(label="a", protocol_hash="1", training={"seconds": 50.0}))
    now[0] = 3.0
    assert told.left == pytest.approx(70.0)  # of b; c was not asked for
    now[0] = 4.0
    assert told.left == pytest.approx(69.0)
    assert told.line.startswith("4 s elapsed, about 69 s left, until ")


def test_a_folder_that_says_nothing_stops_no_clock(tmp_path, now):
    told = StudyClock()
    told.follow(tmp_path / "nowhere", [])
    assert told.left is None


def test_a_bar_s_time_left_needs_no_sample_of_the_last_half_minute(now):
    column, progress = LeftColumn(), Progress()
    task = progress.add_task("runs", total=10)
    assert column.render(progress.tasks[0]).plain == ""
    column.begin(task, 2)
    now[0] = 100.0  # rich forgets what is older than 30 s
    progress.update(task, completed=4)
    assert column.render(progress.tasks[0]).plain == "5 min left"
    progress.update(task, completed=10)
    assert column.render(progress.tasks[0]).plain == ""


def test_a_time_that_is_left_is_said_in_words():
    assert left_text(60) == "about 60 s left"
