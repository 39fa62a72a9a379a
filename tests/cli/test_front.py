"""`moat front` from the shell: what it takes, what it says, what it refuses."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SPEC = importlib.util.spec_from_file_location(
    "runs_for_reports", Path(__file__).parents[1] / "report" / "conftest.py"
)
runs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(runs)


@pytest.fixture
def results(tmp_path):
    """Two studies of two runs each, with held-out examples."""
    for study in ("one", "two"):
        for variant, natural, pgd in (("natural", 95, 10), ("pgd-at", 85, 60)):
            folder = runs.write_run(
                tmp_path / study / variant, variant, natural, (pgd, 20, 20, 0), study=study
            )
            arrays, about = folder.load_evaluation()
            stamp = {"protocol_hash": np.array("0123456789abcdef")}
            folder.save_evaluation(arrays, about.as_table(), validation={**arrays, **stamp})
    return tmp_path


def test_it_prints_the_front_and_how_sure_it_is_and_writes_four_files(moat, results):
    answer = moat("front", results / "one")
    assert (answer.code, answer.err) == (0, "")
    assert "universal score" in answer.out
    assert "non-dominated" in answer.out
    written = {Path(line[6:]).name for line in answer.out.splitlines() if line.startswith("wrote ")}
    assert written == {"front.csv", "front.json", "front.png", "front.svg"}


def test_of_several_folders_the_files_go_where_the_command_runs(moat, results):
    answer = moat("front", results / "one", results / "two")
    assert answer.code == 0
    assert "one: pgd-at" in answer.out
    assert Path("front.json").exists()
    assert not (results / "one" / "front.json").exists()


def test_a_preference_names_a_run_and_its_folder(moat, results):
    answer = moat("front", results / "one", "--prefer", "natural=0, pgd=1")
    assert answer.code == 0
    assert "Preferred (natural 0, pgd 1): pgd-at" in answer.out
    assert f"preferred: pgd-at: {results / 'one' / 'pgd-at'}" in answer.out.splitlines()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("natural", "--prefer: 'natural' is not a weight of a score."),
        ("natural=", "--prefer: 'natural=' is not a weight of a score."),
        ("natural=-1", "--prefer: 'natural=-1' is not a weight of a score."),
        ("natural=inf", "--prefer: 'natural=inf' is not a weight of a score."),
        ("natural=nan", "--prefer: 'natural=nan' is not a weight of a score."),
        ("=1", "--prefer: '=1' is not a weight of a score."),
        ("natural=1,natural=1", "--prefer: 'natural' is named twice."),
        ("natural=0,pgd=0", "--prefer: all weights are 0."),
        ("natral=1", "--prefer: no score is called 'natral'. Did you mean 'natural'?"),
    ],
)
def test_a_preference_that_says_nothing_is_refused(moat, results, asked, message):
    answer = moat("front", results / "one", "--prefer", asked)
    assert answer.code == 2
    assert answer.err.startswith(message)
    assert not (results / "one" / "front.json").exists()


def test_an_empty_folder_and_one_that_is_not_there_are_refused(moat, results):
    (results / "empty").mkdir()
    for name, message in (
        ("empty", "this folder contains no finished run."),
        ("gone", "the folder does not exist."),
    ):
        answer = moat("front", results / "one", results / name)
        assert answer.code == 2
        assert answer.err.startswith(f"{results / name}: {message}")


@pytest.mark.parametrize(
    "command",
    [("front", "one"), ("report", "one"), ("score", "one/pgd-at"), ("compare", "one/*")],
    ids=lambda command: command[0],
)
def test_every_note_is_printed_where_it_is_asked_for(moat, results, command):
    name, where = command
    places = sorted(results.glob(where))
    brief, whole = (moat(name, *places, *more) for more in ((), ("--notes",)))
    assert (brief.code, whole.code) == (0, 0)
    defined = "union: the share that is classified correctly and withstands every threat."
    assert defined not in " ".join(brief.out.split())
    assert defined in " ".join(whole.out.split())
    assert "union: against all threats." in " ".join(brief.out.split())
