"""The GPU benchmark runs on a CPU too, in small: what it writes is what it measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = [f"threats.{label}.train.steps=1" for label in ("pgd", "flow", "rt")]


def measure(*arguments: str, out: Path) -> dict:
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments, "--device=cpu", f"--out={out}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=500)
    return json.loads(out.read_text())


def sets(*overrides: str) -> list[str]:
    return [part for one in overrides for part in ("--set", one)]


@pytest.mark.slow
def test_a_step_is_timed_beside_its_passes_and_not_a_second_time(tmp_path):
    small = sets("training.batch_size=2", *SMALL)
    asked = ["steps", "--studies=mnist", "--precisions=32-true", "--no-compiled", "--rounds=1"]
    found = measure(*asked, *small, out=tmp_path / "gpu.json")
    assert found["machine"]["device"] == "cpu"
    (step,) = found["steps"].values()
    assert step["passes of a step"] == 3 + 4
    assert step["batch"] == 2
    assert step["images a second"] > 0
    assert measure(*asked, *small, out=tmp_path / "gpu.json")["steps"] == found["steps"]


@pytest.mark.slow
def test_a_study_is_trained_side_by_side_and_what_the_whole_would_take_is_said(tmp_path):
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
    assert set(study["finished"]) == {"natural", "pgd-at"}
    assert study["runs"] == 2
    spent = sum(run["seconds an epoch"] for run in study["finished"].values())
    hours = study["GPU hours of training at 25 epochs, 2 side by side"]
    assert hours == pytest.approx(25 * spent / 2 / 3600, abs=0.006)
    again = measure(*asked, results, *small, out=tmp_path / "gpu.json")["study"]
    assert again == study  # nothing is trained twice
