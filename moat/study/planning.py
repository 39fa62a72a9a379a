"""The announcements of a study before its first run and after a failure, for listeners."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import torch

from moat.data import Data, DataSet
from moat.errors import BusyError, MoatError
from moat.models import built
from moat.recipe import RunPlan
from moat.runs import RunFolder, StudyFolder
from moat.scalarizers import GradientScalarizer
from moat.storage import Record
from moat.study.work import work_of
from moat.training.measuring import has_batch_norm


def announce(
    results: Path,
    asked: Sequence[RunPlan],
    recipe: Sequence[RunPlan],
    data: Mapping[DataSet, Data] | None = None,
) -> bool:
    """Write the planned runs to the study's folder; say whether that succeeded.

    Once the `data` are read, the number of passes is added, from which `moat watch` estimates the
    time. Failed runs that are requested again count as waiting. A refusal by the disk does not stop
    the training: the first run will report it.
    """
    study = StudyFolder(results / recipe[0].study)
    with suppress(MoatError):
        known = data or {}
        counted = [run for run in asked if data is None or run.dataset in data]
        study.plan(_told(counted, study, known), _told(recipe, study, known))
        for run in asked if data is None else ():
            RunFolder(results / run.path).clear_failure()
        return True
    return False


def keep_failure(folder: RunFolder, error: MoatError) -> None:
    """Write a run's failure to its folder, unless another process holds it."""
    if isinstance(error, BusyError):
        return
    when = datetime.now().astimezone().isoformat(timespec="seconds")
    with suppress(MoatError):  # a full disk, which is what it would say
        folder.write_failure(
            {"message": error.message, "where": error.where, "hint": error.hint, "when": when}
        )


def _told(
    runs: Iterable[RunPlan], study: StudyFolder, data: Mapping[DataSet, Data]
) -> list[Record]:
    return [
        {
            "folder": run.path.relative_to(study.path.name).as_posix(),
            "label": run.label,
            "seed": run.seed,
            **({"epochs": run.training.epochs} if run.training.epochs else {}),
            "batch_size": run.training.batch_size,
            "protocol_hash": run.protocol_hash,
            **(_passes(run, data[run.dataset]) if run.dataset in data else {}),
        }
        for run in runs
    ]


def _passes(run: RunPlan, data: Data) -> Record:
    """Return epochs and passes of a run; none where they cannot be counted: that run says why."""
    with suppress(Exception):  # whatever a plug-in raises must not stop the others
        passes = asdict(work_of(run, data, _shares_a_forward(run, data)))
        return {"epochs": passes.pop("epochs"), "passes": passes}
    return {}


def _shares_a_forward(run: RunPlan, data: Data) -> bool:
    """Say whether batch norm makes one gradient an objective cost more: then alone it is asked."""
    if not isinstance(run.scalarizer, GradientScalarizer):
        return False
    with torch.random.fork_rng(devices=[]):
        return has_batch_norm(built(run.model, data.shape, len(data.classes)))
