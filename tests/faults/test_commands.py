"""Every command keeps what it promises of the disk, whatever call fails and wherever it dies.

A few cases of each by default; with MOAT_SOAK_SECONDS in the environment, as many as that allows.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from moat import study
from moat.bundles import bundle
from moat.report import (
    make_fronts,
    make_plots,
    make_scoreboards,
    write_front,
    write_plots,
    write_report,
)
from moat.report.page import write_page
from moat.runs import RunFolder
from moat.testing import check_faults

MOST = 10
SOAK = os.environ.get("MOAT_SOAK_SECONDS")
USERS = {
    "report-2024.md": "notes",
    "front-7.json": "{}",
    "study/front-2024.png": "a picture",
    "study/training-3.png": "another",
    "study/plain/seed-0/notes.txt": "mine",
    "study/plain/seed-0/.notes.5.tmp": "an editor's",
    "study/plain/seed-0/tensorboard/notes.md": "mine, too",
}


@pytest.fixture(autouse=True)
def no_time(monkeypatch):
    """Let no time pass in training, so that equal runs have equal logs."""
    monkeypatch.setattr("moat.training.loop.time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture
def results(tmp_path) -> Path:
    """A results folder with files of the user's where moat writes its own."""
    folder = tmp_path / "results"
    for name, text in USERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def train(recipe, results) -> Callable[..., None]:
    """Train one run of the small study; raise what made it fail."""
    path = recipe("examples = 40", "examples = 6")

    def run(*overrides: str, **keys: object) -> None:
        done = study.train(
            path, only=("plain",), results=results, device="cpu", overrides=overrides, **keys
        )
        for error in done.failed.values():
            raise error

    return run


def checked(folder: Path, command: Callable[[], object]) -> None:
    seconds = float(SOAK) / 6 if SOAK else None
    count = check_faults(
        folder,
        command,
        most=None if SOAK else MOST,
        seconds=seconds,
        changing=("failed.json", "clock.json"),
    )
    print(f"{count} cases")
    assert count >= (1 if SOAK else MOST)


def test_training(train, results):
    checked(results, train)


def test_training_again_what_another_recipe_trained(recipe, results):
    def run(path: Path, *, overwrite: bool) -> None:
        done = study.train(
            path, only=("plain",), results=results, device="cpu", overwrite=overwrite
        )
        for error in done.failed.values():
            raise error

    run(recipe("examples = 40", "examples = 6"), overwrite=False)
    path = recipe("lr = 0.5", "lr = 0.2")
    checked(results, lambda: run(path, overwrite=True))


def test_evaluating_again(train, results):
    train()
    checked(results, lambda: study.evaluate_run(results / "study/plain/seed-0", "cpu"))


def test_another_models_evaluation(recipe, results, tmp_path):
    path = recipe("examples = 40", "examples = 6")
    text = path.read_text("utf-8")
    protocol = tmp_path / "protocol.toml"
    start, end = text.index("[model]"), text.index("[threats.pgd]")
    text = text[:start] + text[end : text.index("[[variant]]")]
    protocol.write_text(text.replace("train = { steps = 1 }\n", ""), "utf-8")
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).eval()

    def run() -> None:
        study.evaluate_model(network, protocol, name="theirs", results=results, device="cpu")

    checked(results, run)


def test_fronts_and_reports(train, results):
    train()

    def run() -> None:
        write_front(make_fronts(results / "study"), results)
        write_report(make_scoreboards(results / "study"), results)

    checked(results, run)


def test_pages_and_pictures(train, results):
    train()

    def run() -> None:
        study = results / "study"
        write_page(make_scoreboards(study), study, results / "page.html")
        write_plots(make_plots([results / "study"], ["training"]), results / "figures")

    checked(results, run)


def test_a_bundle(train, results):
    train()
    checked(results, lambda: bundle(results / "study", results / "out.zip", overwrite=True))


def test_training_with_code_that_the_run_keeps(train, results, recipe):
    path = recipe("examples = 40", "examples = 6")
    for name, text in (("mine.py", "import mine_beside\n"), ("mine_beside.py", "x = 1\n")):
        (path.parent / name).write_text(text, "utf-8")
    path.write_text(f'plugins = ["mine.py"]\n{path.read_text("utf-8")}', "utf-8")
    sys.path.append(str(path.parent))
    try:
        checked(results, lambda: raised(study.train(path, only=("plain",), results=results)))
    finally:
        sys.path.remove(str(path.parent))
    assert set(RunFolder(results / "study/plain/seed-0").read_code()) == {
        "mine.py",
        "mine_beside.py",
    }


def raised(done: study.StudyResult) -> None:
    for error in done.failed.values():
        raise error
