"""All runs of a recipe: what is done is skipped, what fails or is held lets the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moat.data import Data, DataSet
from moat.errors import BusyError, DiskError, MoatError, RunFolderError
from moat.precision import plain_torch
from moat.recipe import RunPlan, plan_runs, read
from moat.runs import CACHE, RunFolder, StudyFolder, require_own_name
from moat.storage import Record, make_folder
from moat.study.failures import as_failure, asked_for
from moat.study.listener import StudyListener
from moat.study.one_run import run_one
from moat.study.overwriting import clear, make_way
from moat.study.planning import announce, keep_failure
from moat.study.run_state import RunState
from moat.training import device_for


@dataclass
class StudyResult:
    """Where the study lies, and how each of its runs ended; `held` are other processes' runs."""

    folder: Path
    done: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, MoatError] = field(default_factory=dict)
    held: dict[Path, BusyError] = field(default_factory=dict)


def plan(
    recipe: Path | str,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[RunPlan]:
    """Validate a recipe and return its runs, training nothing. Raises RecipeError."""
    return plan_runs(read(recipe, overrides), only, seeds)


@plain_torch()
def train(
    recipe: Path | str,
    *,
    overrides: Sequence[str] = (),
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    results: Path | str = "results",
    device: str = "auto",
    overwrite: bool = False,
    listener: StudyListener | None = None,
) -> StudyResult:
    """Run what is not done yet of a recipe's study; run again, it goes on where it was.

    `overrides` are `key=value` (with them the study has a folder of its own), `only` and `seeds`
    pick variants and seeds, `device` is "auto", "cpu" or "cuda". A folder that was trained by
    another recipe, or holds a broken file, is left alone, and its run fails, unless `overwrite` is
    true. A run that fails is in the result's `failed`, and the others go on. A run that another
    process holds is put aside and asked for once more at the end; still held, it is in `held`.
    Before anything is
    trained, raises RecipeError where the recipe does not hold together, DiskError where nothing
    can be written to the results folder, and MoatError where the device is absent.
    """
    listener = listener or StudyListener()
    plans = plan(recipe, overrides=overrides, only=only, seeds=seeds)
    results = Path(results)
    result = StudyResult(results / plans[0].study)
    device_for(device)  # an absent device is refused at once
    require_own_name(result.folder)
    make_folder(result.folder)
    if overwrite:
        make_way(StudyFolder(result.folder), listener)
    whole = plan(recipe, overrides=overrides) if only or seeds else plans
    study = _Study(results, plans, whole, device, overwrite, listener, result)
    study.announce()
    listener.study_started(len(plans))
    listener.announced(result.folder, [results / run.path for run in plans])
    study.run_again(study.run_all(plans))
    return result


@dataclass
class _Study:
    """The runs of a study in one process: what they share, and how each of them ends."""

    results: Path
    plans: Sequence[RunPlan]
    whole: Sequence[RunPlan]
    device: str
    overwrite: bool
    listener: StudyListener
    result: StudyResult
    loaded: dict[DataSet, Data] = field(default_factory=dict)
    announced: bool = False

    def announce(self) -> None:
        """Say in the study's folder what is planned; the disk may refuse it, and be asked again."""
        known = self.loaded or None  # before any data set is read, what failed is waiting again
        self.announced = announce(self.results, self.plans, self.whole, known)

    def run_all(self, plans: Sequence[RunPlan]) -> list[tuple[RunPlan, BusyError]]:
        """Run one after the other; return those that other processes hold, and who does."""
        held = []
        for plan in plans:
            folder = RunFolder(self.results / plan.path)
            try:
                self._run_one(plan, folder)
            except BusyError as error:
                held.append((plan, error))
                self.listener.run_held(plan, error)
            except Exception as error:  # whatever a plug-in raises must not stop the others
                failure = as_failure(error)
                self.result.failed[folder.path] = failure
                keep_failure(folder, failure)
                self.listener.run_failed(plan, failure)
        return held

    def run_again(self, held: Sequence[tuple[RunPlan, BusyError]]) -> None:
        """Ask once more for runs that were held; what is still held is left to its holder."""
        for plan, error in self.run_all([plan for plan, _ in held]):
            self.result.held[self.results / plan.path] = error

    def _run_one(self, plan: RunPlan, folder: RunFolder) -> None:
        if self.overwrite:
            make_way(folder, self.listener)
        state = RunState(plan, folder)
        plan = state.plan
        if _done_before(state, self.overwrite, self.listener):
            folder.tidy()
            self.result.skipped.append(folder.path)
            self.listener.run_skipped(plan, folder.path)
            return
        self.listener.run_started(plan, folder.path)
        if plan.dataset not in self.loaded:
            with asked_for(plan, "data"):
                self.loaded = {plan.dataset: plan.dataset.load(self.results / CACHE)}
            self.listener.data_read(self.loaded[plan.dataset])
            self.announce()
        data = self.loaded[plan.dataset]
        scores = _run(plan, folder, data, self.device, self.listener, self.overwrite)
        self.result.done.append(folder.path)
        if not self.announced:
            self.announce()
        self.listener.run_done(plan, scores)


def _done_before(state: RunState, overwrite: bool, listener: StudyListener) -> bool:
    try:
        return state.left == "nothing"
    except RunFolderError as error:
        if not overwrite:
            raise
        listener.overwriting(state.folder.path, f"{error.where}: {error.message}")
        return False


def _run(
    run: RunPlan,
    folder: RunFolder,
    data: Data,
    device: str,
    listener: StudyListener,
    overwrite: bool,
) -> Record:
    """Run it, and where the folder stands in the way and may be overwritten, clear that first."""
    try:
        return run_one(run, folder, data, device, listener)
    except (BusyError, DiskError):
        raise
    except RunFolderError:
        if not overwrite:
            raise
        with folder.locked():
            clear(folder, listener)
        return run_one(run, folder, data, device, listener)
