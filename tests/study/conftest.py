"""A small study to change and to break."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from moat import study
from moat.events import (
    Event,
    NamedRunEvent,
    RunEnd,
    RunFailure,
    RunHold,
    RunSkip,
    RunStart,
    StudyStart,
    TrainingStep,
)
from moat.study import StudyResult

HOW = {
    RunStart: "started",
    RunSkip: "skipped",
    RunEnd: "done",
    RunFailure: "failed",
    RunHold: "held",
}


@dataclass
class Watch:
    """Notes what a study says, and dies at a step."""

    class Killed(BaseException):
        """The process dies: nothing may catch it."""

    dies_at: int = 0
    heard: list[tuple[str, object]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        match event:
            case StudyStart(runs=runs):
                self.heard.append(("study", runs))
            case NamedRunEvent(label=label):
                self.heard.append((HOW[type(event)], label))
            case TrainingStep(step=self.dies_at):
                raise self.Killed


@pytest.fixture
def watch() -> type[Watch]:
    return Watch


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[bytes, int]]]:
    """Return every file below a folder with its bytes and the time it was written."""

    def take(folder: Path) -> dict[str, tuple[bytes, int]]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}

    return take


@pytest.fixture
def train(results) -> Callable[..., StudyResult]:
    """Run a study on the CPU, its results below the test's own folder."""
    return partial(study.train, results=results, device="cpu")


@pytest.fixture
def unfinished(recipe, shared_folder, results, watch) -> Callable[[], Path]:
    """Lay down the plain run, killed in the second of two epochs; return its recipe."""

    def fill(folder: Path) -> None:
        path = recipe("epochs = 1", "epochs = 2")
        with pytest.raises(watch.Killed):
            study.train(
                path, only=("plain",), results=folder, device="cpu", listener=watch(dies_at=8)
            )

    def lay() -> Path:
        shutil.copytree(shared_folder("unfinished", fill), results)
        return recipe("epochs = 1", "epochs = 2")

    return lay
