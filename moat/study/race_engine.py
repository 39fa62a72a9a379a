"""The training of the runs of a race."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moat.errors import BusyError, MoatError, RunFolderError, TrainingError
from moat.recipe import RunPlan, Source, plan_runs
from moat.report.race.plan import withdraw_plan
from moat.report.race.race import Race
from moat.runs import RunFolder
from moat.study.all_runs import train_source
from moat.study.job_count import Jobs
from moat.study.places import Place


@dataclass(frozen=True)
class RaceEngine:
    """Trains runs of a race as `moat train` does."""

    source: Source
    at: Place
    jobs: Jobs

    def train(self, labels: Sequence[str], seeds: Sequence[int]) -> None:
        """Train what is missing; raise the error of a run that failed or is held elsewhere."""
        only = list(dict.fromkeys(labels))
        results = self.at.results or Path("results")
        missing = [
            plan.seed
            for plan in plan_runs(self.source, only, seeds)
            if not RunFolder(results / plan.path).is_done
        ]
        if not missing:
            return
        needed = list(dict.fromkeys(missing))
        result = train_source(self.source, self.at, self.jobs, only=only, seeds=needed)
        for run, failure in result.failed.items():
            raise TrainingError(
                f"a run of the race failed: {failure.message}",
                where=str(run),
                hint=f"{failure.hint}\nThe same command goes on with the race.".strip(),
            ) from failure
        for run in result.held:
            raise BusyError(
                "another process holds a run of the race.",
                where=str(run),
                hint="The same command goes on when that process has ended.",
            )


def require_look(before: Race, found: Race) -> None:
    """Raise RunFolderError if the runs of a round add no look: one of them is gone again."""
    if len(found.looks) > len(before.looks):
        return
    run = next(iter(found.missing), found.file)
    raise RunFolderError(
        "the race cannot look: a run that it needs is gone.",
        where=str(run),
        hint="If another process deletes or moves runs of this study, stop it. The same command "
        "trains the missing runs and goes on with the race.",
    )


@contextmanager
def kept_once_begun(file: Path, plans: Sequence[RunPlan], *, is_new: bool) -> Iterator[None]:
    """Withdraw a new plan if an error ends the race before any run has an epoch.

    No score was seen then, so a later call may have another plan.
    """
    try:
        yield
    except MoatError:
        results = file.parent.parent
        if is_new and not any(_has_epoch(RunFolder(results / plan.path)) for plan in plans):
            withdraw_plan(file)
        raise


def _has_epoch(run: RunFolder) -> bool:
    return run.checkpoint.exists() or run.is_trained
