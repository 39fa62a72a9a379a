"""Another finished run of the same study, for the sanity gate to find images on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from moat.errors import MoatError
from moat.evaluation.sanity import Other
from moat.runs import RunFolder, find_runs, judged_run, opened
from moat.storage import Record
from moat.study.loading import is_evaluation_alone
from moat.study.model_loading import load


def other_model(
    folder: RunFolder, record: Mapping[str, Any], device: torch.device | str
) -> Other | None:
    """Return the run of the study with the highest total, None where no other can be loaded.

    Runs with other test data are passed over. An evaluation under another protocol looks among the
    runs of the study that it is of.
    """
    own, study = folder.path, record.get("study")
    if judged := judged_run(record, folder.path):
        try:
            own = opened(judged, weights=True)
        except MoatError:
            return None
        study = _record(own).get("study")
    found: list[tuple[float, str, Path]] = []
    for run in _runs_beside(own, study):
        held = _record(run)
        if run == own.resolve() or is_evaluation_alone(held) or not _same_data(held, record):
            continue
        found.append((-_sum(held.get("scores")), run.as_posix(), run))
    for _, _, run in sorted(found):
        try:
            return Other(load(run, device), str(_record(run).get("label")))
        except MoatError:
            continue
    return None


def _sum(scores: Any) -> float:
    """Return the total, else the union, that a record states; it orders the runs, no more."""
    stated = [scores.get(name) for name in ("total", "union")] if isinstance(scores, dict) else []
    return next((float(s) for s in stated if isinstance(s, int | float) and s), 0.0)


def _runs_beside(own: Path, study: str | None) -> list[Path]:
    """Return all finished runs of the study that a run lies in."""
    for above in own.resolve().parents:
        if above.name == study:
            return [folder.path for folder in find_runs(above)]
    return []


def _record(run: Path) -> Record:
    try:
        return RunFolder(run).read_record() or {}
    except MoatError:
        return {}


def _same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    digests = [(record.get("data") or {}).get("digest") for record in (one, other)]
    return digests[0] == digests[1]
