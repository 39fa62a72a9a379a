"""The GPU benchmark runs on a CPU too, in small: what it writes is what it measured."""

import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest

from moat.study.step_cost import passes_per_example
from moat.testing import run_record

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.gpu.study")


def test_a_process_that_fails_is_counted_and_one_that_is_stopped_is_not(study, capfd):
    assert study.run_together([[sys.executable, "-c", "exit(3)"]] * 2, 60, {}) == 2
    assert capfd.readouterr().err == "2 of 2 processes failed, exit codes 3, 3.\n"
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert study.run_together([sleeping] * 2, 0.1, {}) == 0
    assert capfd.readouterr().err == ""


def test_the_whole_is_not_taken_for_as_cheap_as_the_runs_that_finish_first(study, monkeypatch):
    asked = Namespace(recipe=ROOT / "recipes/digits_pareto.toml", results=Path("none"), set=[])
    asked.epochs, asked.side_by_side, asked.seeds = 5, 2, 0
    record = run_record(
        training={"seconds": 36.0, "images_per_second": 1, "compiled": "none"},
        scores={"natural": 90.0, "total": 100.0, "union": 0.0},
    )
    monkeypatch.setattr(study, "_is_done", lambda run, _: run.label == "natural")
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
