"""What a study tells whoever watches it."""

from pathlib import Path

from moat.errors import MoatError
from moat.evaluation import EvaluationProgress
from moat.recipe import RunPlan
from moat.training import TrainingListener


class StudyListener(TrainingListener):
    """Hears how a study goes; every method does nothing until overridden."""

    def study_started(self, runs: int) -> None:
        """So many runs are to be done, those that are finished included."""

    def run_started(self, plan: RunPlan, folder: Path) -> None:
        """A run begins, or goes on where it was."""

    def run_skipped(self, plan: RunPlan, folder: Path) -> None:
        """A run was finished before."""

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
