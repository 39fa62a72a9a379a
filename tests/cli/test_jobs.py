"""`moat train --jobs`: what it takes, and what it passes on."""

from pathlib import Path

import pytest

from moat import study
from moat.errors import BusyError, TrainingError
from moat.study import StudyResult

SMALL = Path(__file__).parents[1] / "small.toml"


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", "", "AUTO", "1_0", "٣"])
def test_what_is_no_number_of_jobs_is_refused_by_name(jobs, moat, tmp_path):
    answer = moat("train", SMALL, f"--jobs={jobs}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"--jobs: {jobs!r} is not a number of parallel runs.\n"
        "  Give a whole number from 1 on, or auto: as many as cores and memory allow.\n"
    )
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("jobs", [10**9, 10**21, 10**400])
def test_a_number_of_jobs_that_no_machine_has_is_said_to_be_one(jobs, moat):
    answer = moat("train", SMALL, f"--jobs={jobs}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("--jobs: too many parallel runs for any machine: '1000")
    assert answer.err.endswith("\n  auto uses as many as cores and memory allow.\n")
    assert len(answer.err) < 200


@pytest.mark.parametrize(
    ("words", "jobs"), [((), 1), (("--jobs", "3"), 3), (("--jobs", "auto"), "auto")]
)
def test_the_number_is_passed_on_and_ends_are_told_as_ever(words, jobs, moat, monkeypatch):
    def train(recipe, **keys):
        asked.append(keys["jobs"])
        result = StudyResult(Path("results/small"), done=[Path("a")])
        result.failed[Path("b")] = TrainingError("it fell.")
        result.held[Path("c")] = BusyError("another process is writing this run.")
        return result

    asked = []
    monkeypatch.setattr(study, "train", train)
    answer = moat("train", SMALL, *words)
    assert asked == [jobs]
    assert answer.code == 1
    assert "1 run(s) done, 0 skipped as finished, 1 failed, 1 held by other" in answer.out
    assert "held by another process: c" in answer.err


def test_a_dry_run_names_the_option_too(moat):
    answer = moat("train", SMALL, "--dry-run", "--jobs", "none")
    assert answer.code == 2
    assert answer.err.startswith("--jobs: 'none' is not a number of parallel runs.")


def test_help_says_what_it_does(moat):
    text = " ".join(moat("train", "--help").out.split())
    assert "--jobs" in text
    assert "Parallel runs" in text
