"""All runs of a recipe: what is done is skipped, what fails lets the others go on."""

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
from moat.study.identity import as_begun, is_done
from moat.study.listener import StudyListener
from moat.study.one_run import run_one
from moat.study.overwriting import clear, make_way
from moat.study.planning import announce, keep_failure
from moat.training import fabric_for


@dataclass
class StudyResult:
    """Where the study lies, and how each of its runs ended."""

    folder: Path
    done: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, MoatError] = field(default_factory=dict)


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
    true. A run that fails is in the result's `failed`, and the others go on. Before anything is
    trained, raises RecipeError where the recipe does not hold together, DiskError where nothing
    can be written to the results folder, and MoatError where the device is absent.
    """
    listener = listener or StudyListener()
    plans = plan(recipe, overrides=overrides, only=only, seeds=seeds)
    results = Path(results)
    result = StudyResult(results / plans[0].study)
    fabric_for(device, "32-true")  # an absent device is refused at once
    require_own_name(result.folder)
    make_folder(result.folder)
    if overwrite:
        make_way(StudyFolder(result.folder), listener)
    whole = plan(recipe, overrides=overrides) if only or seeds else plans
    kept = announce(results, plans, whole)
    listener.study_started(len(plans))
    listener.announced(result.folder, [results / run.path for run in plans])
    loaded: dict[DataSet, Data] = {}
    for run in plans:
        folder = RunFolder(results / run.path)
        try:
            if overwrite:
                make_way(folder, listener)
            run = as_begun(run, folder)
            if _done_before(run, folder, overwrite, listener):
                folder.tidy()
                result.skipped.append(folder.path)
                listener.run_skipped(run, folder.path)
                continue
            listener.run_started(run, folder.path)
            if run.dataset not in loaded:
                with asked_for(run, "data"):
                    loaded = {run.dataset: run.dataset.load(results / CACHE)}
                listener.data_read(loaded[run.dataset])
                kept = announce(results, plans, whole, loaded)
            scores = _run(run, folder, loaded[run.dataset], device, listener, overwrite)
        except Exception as error:  # whatever a plug-in raises must not stop the others
            failure = as_failure(error)
            result.failed[folder.path] = failure
            keep_failure(folder, failure)
            listener.run_failed(run, failure)
            continue
        result.done.append(folder.path)
        kept = kept or announce(results, plans, whole, loaded)  # the disk may have refused it once
        listener.run_done(run, scores)
    return result


def _done_before(run: RunPlan, folder: RunFolder, overwrite: bool, listener: StudyListener) -> bool:
    try:
        return is_done(run, folder)
    except RunFolderError as error:
        if not overwrite:
            raise
        listener.overwriting(folder.path, f"{error.where}: {error.message}")
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
