"""A study that is told of, and a terminal that is recorded."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from moat import cli
from moat.cli.display import board, screen
from moat.events import (
    EvaluationStep,
    Event,
    LogEntry,
    Note,
    RunEnd,
    RunFailure,
    RunSkip,
    RunStart,
    StudyStart,
    TrainingStep,
)


class Story:
    """Three runs: one done, one finished before, one failed; and the events they are made of."""

    HERE = Path("results/study/plain")
    SCORES: ClassVar = {"natural": 97.25, "scores": {"pgd": 50.0, "flow": 61.26}, "union": 40.0}
    LOGGED: ClassVar = {
        "step": 2,
        "epoch": 1,
        "loss": {"natural": 0.5, "pgd": 2.0, "flow": None},
        "weight": {"natural": 0.25, "pgd": 0.75, "flow": 0.0},
        "lr": 0.1,
        "images_per_second": 1234.5,
        "clamped": True,
        "r_effective": 0.625,
    }
    VALIDATED: ClassVar = {
        "step": 6,
        "epoch": 1,
        "validation": {"natural": 90.0, "pgd": 30.0},
        "score": 60.0,
    }

    def named(self, label: str, **more: Any) -> dict[str, Any]:
        """Return the fields of an event about a run called so."""
        variant = label.partition(" ")[0]
        run = self.HERE.with_name(variant)
        return {"run": run, "label": label, "variant": variant, "sweep": {}, "seed": 0, **more}

    def step(self, epoch: int, number: int, run: Path = HERE) -> TrainingStep:
        return TrainingStep(run=run, epoch=epoch, epochs=2, step=number, steps=12)

    def logged(self, record: dict[str, Any], run: Path = HERE) -> LogEntry:
        return LogEntry(run=run, record=record)

    @property
    def half(self) -> EvaluationStep:
        accuracy = {"natural": 97.25, "pgd": 50.0}
        about = {"threat": "flow", "batch": 1, "batches": 2, "accuracy": accuracy}
        return EvaluationStep(run=self.HERE, done=20, of=40, **about)

    @property
    def events(self) -> list[Event]:
        fell = {"message": "of [type] [/x] it fell.", "hint": "no"}
        return [
            StudyStart(runs=3),
            RunStart(**self.named("plain")),
            Note(run=self.HERE, text="training.compile: [nothing] is captured."),
            self.logged(self.LOGGED),
            self.step(1, 6),
            self.logged(self.VALIDATED),
            self.step(2, 12),
            self.half,
            replace(self.half, done=40, batch=2),
            RunEnd(**self.named("plain", scores=self.SCORES)),
            RunSkip(**self.named("pgd-at")),
            RunStart(**self.named("pareto r=0.5")),
            RunFailure(**self.named("pareto r=0.5", **fell)),
        ]


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def shown(monkeypatch) -> Console:
    """The console, wide and recorded, as a terminal would be."""
    console = Console(file=io.StringIO(), width=160, record=True, force_terminal=True)
    for module in (screen, board, cli.display):
        monkeypatch.setattr(module, "console", console)
    return console
