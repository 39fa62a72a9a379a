"""All runs of a recipe: finished ones are skipped; failed and held ones do not stop others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from moat.errors import MoatError
from moat.events import (
    Event,
    RunEnd,
    RunFailure,
    RunHold,
    RunSkip,
    StudyNote,
    StudyStart,
    each,
    without_repeats,
)
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.recipe import RunPlan, Source, plan_runs, read
from moat.recipe.selection import added_runs
from moat.runs import StudyFolder, require_own_name
from moat.storage import make_folder
from moat.study.job_count import Jobs, jobs_of, settle_jobs
from moat.study.overwriting import make_way
from moat.study.places import Place, PlaceKeys, place_of
from moat.study.pool import Pool
from moat.study.runner import Runner, RunnerSettings
from moat.study.worker import WorkerTask
from moat.training import device_for


@dataclass
class StudyResult:
    """The study's folder and the result of each run; `held` lists the runs of other processes."""

    folder: Path
    done: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, MoatError] = field(default_factory=dict)
    held: dict[Path, MoatError] = field(default_factory=dict)

    def listen(self, event: Event) -> None:
        """Record the end of a run."""
        match event:
            case RunHold(run=run):
                self.held[run] = event.error
            case RunEnd(run=run):
                self.held.pop(run, None)
                self.done.append(run)
            case RunSkip(run=run):
                self.held.pop(run, None)
                self.skipped.append(run)
            case RunFailure(run=run):
                self.held.pop(run, None)
                self.failed[run] = event.error


@public_at_once
def plan(
    recipe: Path | str,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[RunPlan]:
    """Validate a recipe and return its runs, without training. Raises RecipeError."""
    return plan_runs(read(recipe, overrides), only, seeds)


@public_at_once
@plain_torch()
def train(
    recipe: Path | str,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    jobs: int | str = 1,
    **place: Unpack[PlaceKeys],
) -> StudyResult:
    """Train and evaluate the missing runs of a recipe's study; a repeated call resumes them.

    `overrides` are `key=value` (they give the study its own folder); `only` and `seeds` choose
    variants and seeds. `place` are the keywords `results` (default "results"), `device` ("auto",
    "cpu" or "cuda"), `overwrite` and `listener`. A folder with another recipe's run or a broken
    file is left alone, and its run fails, unless `overwrite`. Failed runs are in the result's
    `failed`; the others continue. A run held by another process is tried again at the end; if it is
    still held, it is in `held`.

    `jobs` runs work at once, each in a worker process with its share of the cores; "auto" uses as
    many as cores and memory allow. In a script, put such a call below `if __name__ == "__main__":`,
    because a worker imports the script. `listener` is a function that receives each event of
    `moat.events`, in this process.

    Raises, before any training, RecipeError for an inconsistent recipe, DiskError for a results
    folder that cannot be written, and MoatError for an absent device or an invalid `jobs`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> quick = ["training.epochs=1", "data.validation=0", "evaluation.examples=20"]
        >>> with TemporaryDirectory() as results:
        ...     study = train("digits_pareto", only=["natural"], overrides=quick, results=results)
        >>> len(study.done), study.failed
        (1, {})
    """
    at, wanted = place_of(place), jobs_of(jobs)
    return train_source(read(recipe, overrides), at, wanted, only=only, seeds=seeds)


def train_source(
    source: Source, at: Place, jobs: Jobs, *, only: Sequence[str], seeds: Sequence[int]
) -> StudyResult:
    """Train and evaluate as `train` does, of a recipe that is read already."""
    plans = plan_runs(source, only, seeds)
    results = at.results or Path("results")
    result = StudyResult(results / plans[0].study)
    device_for(at.device)  # an absent device is refused at once
    require_own_name(result.folder)
    make_folder(result.folder)
    heard = each(result.listen, without_repeats(at.listener))
    if at.overwrite:
        make_way(StudyFolder(result.folder), heard)
    whole = plan_runs(source) if only or seeds else plans
    runner = Runner(RunnerSettings(results, at.device, at.overwrite), plans, whole, heard)
    runner.announce()
    if added := [plan for plan in added_runs(plans, only, seeds) if not runner.is_recorded(plan)]:
        heard(StudyNote(text=_of_added(added)))
    if jobs == 1:
        _in_turn(runner, result)
    else:
        task = WorkerTask(source, tuple(only), tuple(seeds), runner.setting)
        _side_by_side(runner, task, jobs, result)
    errors = runner.errors  # with what caused them, where they were raised in this process
    for ended in (result.failed, result.held):
        ended.update({run: errors.get(run, error) for run, error in ended.items()})
    return result


def _of_added(added: Sequence[RunPlan]) -> str:
    names = ", ".join(dict.fromkeys(plan.label for plan in added))
    return f"Trained as well, because the chosen runs start from them: {names}."


def _start(runner: Runner, result: StudyResult, jobs: int = 1) -> None:
    planned = tuple(runner.setting.results / plan.path for plan in runner.plans)
    runner.listener(StudyStart(runs=len(planned), folder=result.folder, planned=planned, jobs=jobs))


def _in_turn(runner: Runner, result: StudyResult) -> None:
    """Run one after the other in this process, and once more what was held."""
    _start(runner, result)
    for plan in [plan for plan in runner.plans if not runner.ends(plan)]:
        runner.ends(plan)


def _side_by_side(runner: Runner, task: WorkerTask, wanted: Jobs, result: StudyResult) -> None:
    """Run several at once, each in a worker process, and once more what was held."""
    left = [plan for plan in runner.plans if not runner.is_recorded(plan)]
    share = settle_jobs(wanted, left, len(runner.plans), runner.setting, runner.listener)
    if share.jobs == 1 and wanted == "auto":
        _in_turn(runner, result)
        return
    _start(runner, result, share.jobs)
    pool = Pool(task, share, runner)
    pool.run(pool.run(runner.unfinished()))
