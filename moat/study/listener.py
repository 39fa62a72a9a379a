"""What a study tells whoever watches it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moat.data import Data
from moat.errors import BusyError, MoatError
from moat.evaluation import EvaluationProgress
from moat.recipe import RunPlan
from moat.training import TrainingListener


class StudyListener(TrainingListener):
    """Hears how a study goes; every method does nothing until overridden."""

    def study_started(self, runs: int) -> None:
        """So many runs are to be done, those that are finished included."""

    def announced(self, folder: Path, runs: Sequence[Path]) -> None:
        """The folder of a study says from now on what is planned there, these runs among it."""

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """A run begins, or goes on where it was."""

    def data_read(self, data: Data) -> None:
        """A data set was read; its note says what of it was not."""

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """A run was finished before."""

    def overwriting(self, folder: Path, what: str) -> None:
        """What stands in a folder is about to be overwritten, as was asked for."""

    def evaluation_started(self, folder: Path, before: int) -> None:
        """A finished model begins to be evaluated, so many others having been before it."""

    def evaluated(self, progress: EvaluationProgress) -> None:
        """A threat begins on a batch of test examples, or ends; so much has been done."""

    def validated(self, progress: EvaluationProgress) -> None:
        """The same, of the examples that were held out from training."""

    def run_done(self, plan: RunPlan, scores: dict[str, object]) -> None:
        """A run is finished, and these are its scores."""

    def run_failed(self, plan: RunPlan, error: MoatError) -> None:
        """A run failed; the others go on."""

    def run_held(self, plan: RunPlan, error: BusyError) -> None:
        """Another process holds a run; it is put aside, and asked for once more at the end."""


class Listeners(StudyListener):
    """Tells several listeners all that it hears, one after another."""

    def __init__(self, *listeners: StudyListener) -> None:
        self.listeners = listeners

    def study_started(self, runs: int) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.study_started(runs)

    def announced(self, folder: Path, runs: Sequence[Path]) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.announced(folder, runs)

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.run_started(plan, folder)

    def data_read(self, data: Data) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.data_read(data)

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.run_skipped(plan, folder)

    def overwriting(self, folder: Path, what: str) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.overwriting(folder, what)

    def stepped(self, epoch: int, epochs: int, step: int, steps: int) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.stepped(epoch, epochs, step, steps)

    def logged(self, record: dict[str, Any]) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.logged(record)

    def noted(self, line: str) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.noted(line)

    def evaluation_started(self, folder: Path, before: int) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.evaluation_started(folder, before)

    def evaluated(self, progress: EvaluationProgress) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.evaluated(progress)

    def validated(self, progress: EvaluationProgress) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.validated(progress)

    def run_done(self, plan: RunPlan, scores: dict[str, object]) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.run_done(plan, scores)

    def run_failed(self, plan: RunPlan, error: MoatError) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.run_failed(plan, error)

    def run_held(self, plan: RunPlan, error: BusyError) -> None:
        """Pass it on."""
        for one in self.listeners:
            one.run_held(plan, error)
