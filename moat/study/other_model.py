"""The model on which the sanity gate finds images for another: its partner's, once that is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from moat.errors import MoatError
from moat.evaluation.sanity import Other
from moat.runs import RunFolder, find_runs, judged_run
from moat.storage import Record
from moat.study.loading import is_evaluation_alone
from moat.study.model_loading import load

NO_OTHER = "No other finished run of the study was there to find images on."
ALONE = "The study has no other run on the same data to find images on."


@dataclass(frozen=True)
class Partner:
    """A run's partner: its model, or why there is none yet or at all.

    `is_open` says that the question is still to be asked.
    """

    other: Other | None = None
    why_not: str = NO_OTHER
    is_open: bool = False


def partner_model(
    folder: RunFolder, record: Mapping[str, Any], device: torch.device | str
) -> Partner:
    """Return the model of the run that the record names as its partner.

    An evaluation under another protocol has the partner of the run that it is of. A record that is
    older than partners, or of no run, names none: then it is the finished run of the same study
    that was trained against the most threats, another variant's first.
    """
    own, about = folder.path, record
    if judged := judged_run(record, folder.path):
        own, about = judged, _record(judged)
    root = _study_of(own, about.get("study"))
    if root is None:
        return Partner()
    if "partner" not in about:
        return _finished_beside(own, root, record, device)
    named = about["partner"]
    if named is None:
        return Partner(why_not=ALONE)
    return _named(root / named["run"], named, record, device)


def _named(
    run: Path, named: Mapping[str, Any], record: Mapping[str, Any], device: torch.device | str
) -> Partner:
    """Return the partner that a record names, which may be done, failed, or neither yet."""
    said = f"Images are to be found on {named['label']}, seed {named['seed']}, "
    held = _record(run)
    if not held:
        failed = _has_failed(run)
        why = "and that run failed." if failed else "and that run is not done yet."
        return Partner(why_not=said + why, is_open=True)
    if not _same_data(held, record):
        return Partner(why_not=said + "and that run was tested on other images.", is_open=True)
    try:
        return Partner(Other(load(run, device), str(held.get("label"))))
    except MoatError as error:
        first = error.message.splitlines()[0]
        return Partner(why_not=f"{said}and that run cannot be loaded: {first}", is_open=True)


def _finished_beside(
    own: Path, root: Path, record: Mapping[str, Any], device: torch.device | str
) -> Partner:
    """Return the first of the study's finished runs that can be loaded, by the partner's rule."""
    variant = record.get("variant")
    found: list[tuple[bool, int, str, Path]] = []
    for folder in find_runs(root):
        held = _record(folder.path)
        if folder.path == own.resolve() or is_evaluation_alone(held):
            continue
        if held and _same_data(held, record):
            threats = len((held.get("trains") or {}).get("threats") or {})
            place = folder.path.as_posix()
            found.append((held.get("variant") == variant, -threats, place, folder.path))
    for *_, run in sorted(found):
        try:
            return Partner(Other(load(run, device), str(_record(run).get("label"))))
        except MoatError:
            continue
    return Partner()


def _study_of(own: Path, study: str | None) -> Path | None:
    """Return the folder of the study that a run lies in."""
    return next((above for above in own.resolve().parents if above.name == study), None)


def _has_failed(run: Path) -> bool:
    try:
        return RunFolder(run).read_failure() is not None
    except MoatError:
        return False


def _record(run: Path) -> Record:
    try:
        return RunFolder(run).read_record() or {}
    except MoatError:
        return {}


def _same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    digests = [(record.get("data") or {}).get("digest") for record in (one, other)]
    return digests[0] == digests[1]
