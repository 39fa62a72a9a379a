"""What a study says of itself before its first run, and of a run that failed, for who watches."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from moat.errors import BusyError, MoatError
from moat.recipe import RunPlan
from moat.runs import RunFolder, StudyFolder
from moat.storage import Record


def announce(results: Path, asked: Sequence[RunPlan], recipe: Sequence[RunPlan]) -> None:
    """Keep in the study's folder which of the recipe's runs are to be done.

    What failed before and is asked for again is waiting from now on. Nothing of this stands in the
    way of training: where the disk refuses, the first run will say so.
    """
    study = StudyFolder(results / recipe[0].study)
    with suppress(MoatError):
        study.plan(_told(asked, study), _told(recipe, study))
        for run in asked:
            RunFolder(results / run.path).clear_failure()


def keep_failure(folder: RunFolder, error: MoatError) -> None:
    """Keep in a run's folder why it failed and when; not where another process is at it."""
    if isinstance(error, BusyError):
        return
    when = datetime.now().astimezone().isoformat(timespec="seconds")
    with suppress(MoatError):  # a full disk, which is what it would say
        folder.write_failure(
            {"message": error.message, "where": error.where, "hint": error.hint, "when": when}
        )


def _told(runs: Iterable[RunPlan], study: StudyFolder) -> list[Record]:
    return [
        {
            "folder": run.path.relative_to(study.path.name).as_posix(),
            "label": run.label,
            "seed": run.seed,
            "epochs": run.training.epochs,
            "batch_size": run.training.batch_size,
            "protocol_hash": run.protocol_hash,
        }
        for run in runs
    ]
