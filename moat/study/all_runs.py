"""All runs of a recipe: what is done is skipped, what fails lets the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moat.data import Data, DataSet
from moat.errors import MoatError
from moat.recipe import RunPlan, plan_runs, read
from moat.runs import RunFolder
from moat.study.listener import StudyListener
from moat.study.one_run import is_done, run_one


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
    another recipe is left alone, and its run fails, unless `overwrite` is true. A run that fails
    is in the result's `failed`, and the others go on. Raises RecipeError, before anything is
    trained, where the recipe does not hold together.
    """
    listener = listener or StudyListener()
    plans = plan(recipe, overrides=overrides, only=only, seeds=seeds)
    result = StudyResult(Path(results, plans[0].study) if plans else Path(results))
    listener.study_started(len(plans))
    loaded: dict[DataSet, Data] = {}
    for run in plans:
        folder = RunFolder(Path(results, run.path))
        try:
            if overwrite:
                _clear_other(run, folder)
            if is_done(run, folder):
                result.skipped.append(folder.path)
                listener.run_skipped(run, folder.path)
                continue
            listener.run_started(run, folder.path)
            if run.dataset not in loaded:
                loaded = {run.dataset: run.dataset.load()}
            scores = run_one(run, folder, loaded[run.dataset], device, listener)
        except MoatError as error:
            result.failed[folder.path] = error
            listener.run_failed(run, error)
            continue
        result.done.append(folder.path)
        listener.run_done(run, scores)
    return result


def _clear_other(run: RunPlan, folder: RunFolder) -> None:
    """Clear a folder that holds another run, or files that cannot be read."""
    try:
        is_done(run, folder)
        folder.load_checkpoint()
        folder.load_model()
    except MoatError:
        with folder.locked():
            folder.clear()
