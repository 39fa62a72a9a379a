"""The GPU benchmark runs on a CPU too, in small: what it writes is what it measured."""

import json
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest

from moat.study.estimates import passes_per_example

ROOT = Path(__file__).parents[2]
SMALL = [f"threats.{label}.train.steps=1" for label in ("pgd", "flow", "rt")]


def measure(*arguments: str, out: Path) -> dict:
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments, "--device=cpu", f"--out={out}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=500)
    return json.loads(out.read_text())


@pytest.fixture
def measure_here(monkeypatch):
    """Measure in this process, where nothing is left to measure."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    main = import_module("benchmarks.gpu.__main__").main

    def measure(*arguments: str, out: Path) -> dict:
        main([*arguments, "--device=cpu", f"--out={out}"])
        return json.loads(out.read_text())

    return measure


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.gpu.study")


def test_a_process_that_fails_is_counted_and_one_that_is_stopped_is_not(study, capfd):
    assert study.run_side_by_side([sys.executable, "-c", "exit(3)"], 2, 60, {}) == 2
    assert capfd.readouterr().err == "2 of 2 processes failed, exit codes 3, 3.\n"
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert study.run_side_by_side(sleeping, 2, 0.1, {}) == 0
    assert capfd.readouterr().err == ""


def test_the_whole_is_not_taken_for_as_cheap_as_the_runs_that_finish_first(study, monkeypatch):
    asked = Namespace(recipe=ROOT / "recipes/digits_pareto.toml", results=Path("none"), set=[])
    asked.epochs, asked.side_by_side, asked.seeds = 5, 2, 0
    record = {
        "training": {"seconds": 36.0, "images_per_second": 1, "compiled": "none"},
        "scores": {"natural": 90.0, "total": 100.0, "union": 0.0},
    }
    monkeypatch.setattr(study, "is_done", lambda run, _: run.label == "natural")
    monkeypatch.setattr(study.RunFolder, "read_record", lambda _: record)
    plans = study._plans(asked)
    found = study._summary(asked, plans)
    passes = sum(sum(passes_per_example(run)) for run in plans)  # natural's is 1
    assert passes > 2 * len(plans)
    hours = found["GPU hours of training at 25 epochs, 2 side by side"]
    assert hours == pytest.approx(25 * passes * (36 / 5) / 2 / 3600, abs=0.006)
    assert found["the hours rest on"] == (
        "1 finished run(s), each weighed by its passes; evaluation is not counted"
    )


def sets(*overrides: str) -> list[str]:
    return [part for one in overrides for part in ("--set", one)]


@pytest.mark.slow
def test_a_step_is_timed_beside_its_passes_and_not_a_second_time(tmp_path, measure_here):
    small = sets("training.batch_size=2", *SMALL)
    asked = [
        "steps",
        "--studies=mnist",
        "--precisions=32-true",
        "--modes=none",
        "--layouts=nchw",
        "--rounds=1",
    ]
    found = measure(*asked, *small, out=tmp_path / "gpu.json")
    assert found["machine"]["device"] == "cpu"
    (step,) = found["steps"].values()
    assert step["passes of a step"] == 3 + 4
    assert step["batch"] == 2
    assert step["images a second"] > 0
    assert measure_here(*asked, *small, out=tmp_path / "gpu.json")["steps"] == found["steps"]


@pytest.mark.slow
def test_a_study_is_trained_side_by_side_and_what_the_whole_would_take_is_said(
    tmp_path, measure_here
):
    recipe = tmp_path / "short.toml"
    recipe.write_text(
        f'extends = "{ROOT / "recipes/digits_pareto.toml"}"\n'
        '[[variant]]\nname = "natural"\nscalarizer = "natural"\n'
        '[[variant]]\nname = "pgd-at"\nthreats = ["pgd"]\n'
    )
    asked = ["study", "--recipe", str(recipe), "--epochs=1", "--side-by-side=2", "--minutes=4"]
    small = sets("data.train_examples=60", "evaluation.examples=20")
    results = f"--results={tmp_path / 'results'}"
    study = measure(*asked, results, *small, out=tmp_path / "gpu.json")["study"]
    assert set(study["finished"]) == {"natural, seed 0", "pgd-at, seed 0"}
    assert study["runs"] == 2
    spent = sum(run["seconds an epoch"] for run in study["finished"].values())  # all are done
    hours = study["GPU hours of training at 25 epochs, 2 side by side"]
    assert hours == pytest.approx(25 * spent / 2 / 3600, abs=0.006)
    assert study["the hours rest on"].startswith("2 finished run(s), each weighed by its passes")
    assert study["failed processes"] == 0
    again = measure_here(*asked, results, *small, out=tmp_path / "gpu.json")["study"]
    assert again == study  # nothing is trained twice
