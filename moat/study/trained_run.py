"""A finished run, from its own folder."""

from dataclasses import dataclass
from pathlib import Path

from moat.recipe import RunPlan
from moat.records import RunRecord
from moat.runs import RunFolder
from moat.study.loading import finished_record, plan_of
from moat.study.recipe_change import require_own_recipe


@dataclass(frozen=True)
class TrainedRun:
    """A finished run: its folder, its record, and the plan of its own recipe."""

    folder: RunFolder
    record: RunRecord
    plan: RunPlan


def trained_run(path: Path) -> TrainedRun:
    """Return the finished run of a folder.

    Raises RunFolderError if there is none, if its recipe no longer matches its training, or if its
    weights are another run's.
    """
    folder = RunFolder(path)
    record = finished_record(folder)
    plan = plan_of(folder, record=record)
    require_own_recipe(plan, record, folder)
    folder.require_own_weights(record)
    return TrainedRun(folder, record, plan)
