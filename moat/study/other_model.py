"""Another finished run of the same study, for the sanity gate to find images on."""

from pathlib import Path

import torch

from moat.errors import MoatError
from moat.evaluation.sanity import Other
from moat.records import ModelRecord, RunRecord
from moat.runs import RunFolder, find_runs, judged_run, opened
from moat.storage import Record
from moat.study.model_loading import load


def other_model(folder: RunFolder, record: ModelRecord, device: torch.device | str) -> Other | None:
    """Return the run of the study with the highest total, None where no other can be loaded.

    Runs with other test data are passed over. An evaluation under another protocol looks among the
    runs of the study that it is of.
    """
    own, study = folder.path, record.study
    if judged := judged_run(record, folder.path):
        try:
            own = opened(judged, weights=True)
        except MoatError:
            return None
        its = _record(own)
        study = its.study if its else ""
    found: list[tuple[float, str, Path, str]] = []
    for run in _runs_beside(own, study):
        held = _record(run)
        if held is None or run == own.resolve() or held.is_evaluation_alone:
            continue
        if held.data.get("digest") == record.data.get("digest"):
            found.append((-_sum(held.scores or {}), run.as_posix(), run, held.label))
    for _, _, run, label in sorted(found):
        try:
            return Other(load(run, device), label)
        except MoatError:
            continue
    return None


def _sum(scores: Record) -> float:
    """Return the total, else the union, that a record states; it orders the runs, no more."""
    stated = [scores.get(name) for name in ("total", "union")]
    return next((float(s) for s in stated if isinstance(s, int | float) and s), 0.0)


def _runs_beside(own: Path, study: str) -> list[Path]:
    """Return all finished runs of the study that a run lies in."""
    for above in own.resolve().parents:
        if above.name == study:
            return [folder.path for folder in find_runs(above)]
    return []


def _record(run: Path) -> RunRecord | None:
    try:
        return RunFolder(run).read_record()
    except MoatError:
        return None
