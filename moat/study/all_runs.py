"""All runs of a recipe: what is done is skipped, what fails or is held lets the others go on."""

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
    StudyStart,
    each,
    without_repeats,
)
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.recipe import RunPlan, plan_runs, read
from moat.runs import StudyFolder, require_own_name
from moat.storage import make_folder
from moat.study.job_count import Jobs, jobs_of, settle_jobs
from moat.study.overwriting import make_way
from moat.study.places import PlaceKeys, place_of
from moat.study.pool import Pool
from moat.study.runner import Runner, RunnerSettings
from moat.study.worker import WorkerTask
from moat.training import device_for


@dataclass
class StudyResult:
    """Where the study lies, and how each of its runs ended; `held` are other processes' runs."""

    folder: Path
    done: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, MoatError] = field(default_factory=dict)
    held: dict[Path, MoatError] = field(default_factory=dict)

    def listen(self, event: Event) -> None:
        """Keep how a run ended."""
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
    """Validate a recipe and return its runs, training nothing. Raises RecipeError."""
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
    """Train and evaluate the unfinished runs of a recipe's study; a later call goes on from there.

    `overrides` are `key=value` (with them the study has a folder of its own), `only` and `seeds`
    pick variants and seeds. `place` are the keywords `results` ("results" unless said otherwise),
    `device` ("auto", "cpu" or "cuda"), `overwrite` and `listener`. A folder that was trained by
    another recipe, or holds a broken file, is left alone, and its run fails, unless `overwrite` is
    true. A run that fails is in the result's `failed`, and the others go on. A run that another
    process holds is put aside and asked for once more at the end; still held, it is in `held`.

    `jobs` runs are at work at once, each in a worker process with its share of the cores; "auto"
    takes as many as cores and memory allow. In a script, such a call stands below
    `if __name__ == "__main__":`, since a worker imports the script. `listener` is a function that
    hears each event of `moat.events`, in this process.

    Before anything is trained, raises RecipeError where the recipe does not hold together,
    DiskError where nothing can be written to the results folder, and MoatError where the device is
    absent or `jobs` is not a number of jobs.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> quick = ["training.epochs=1", "data.validation=0", "evaluation.examples=20"]
        >>> with TemporaryDirectory() as results:
        ...     study = train("digits_pareto", only=["natural"], overrides=quick, results=results)
        >>> len(study.done), study.failed
        (1, {})
    """
    at, wanted = place_of(place), jobs_of(jobs)
    source = read(recipe, overrides)
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
    if wanted == 1:
        _in_turn(runner, result)
    else:
        task = WorkerTask(source, tuple(only), tuple(seeds), runner.setting)
        _side_by_side(runner, task, wanted, result)
    errors = runner.errors  # with what caused them, where they were raised in this process
    for ended in (result.failed, result.held):
        ended.update({run: errors.get(run, error) for run, error in ended.items()})
    return result


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
    pool.run(pool.run([n for n, plan in enumerate(runner.plans) if not runner.skips(plan)]))
