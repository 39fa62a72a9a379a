"""The model on which the sanity gate finds images to transfer: the partner's, once trained."""

from dataclasses import dataclass
from pathlib import Path

import torch

from moat.errors import MoatError
from moat.evaluation.sanity import Other
from moat.records import ModelRecord, PartnerRecord, RunRecord
from moat.runs import RunFolder, find_runs, judged_run, opened
from moat.study.model_loading import load

NO_OTHER = "The study has no other finished run to find images on."
ONLY_RUN = "The study has no other run on the same data to find images on."
Told = ModelRecord | RunRecord


@dataclass(frozen=True)
class Partner:
    """A run's partner: its model, or the reason why there is none, yet or at all.

    `is_open` says that the check is still to be made.
    """

    other: Other | None = None
    why_not: str = NO_OTHER
    is_open: bool = False


def partner_model(folder: RunFolder, record: ModelRecord, device: torch.device | str) -> Partner:
    """Return the model of the run that the record names as its partner.

    An evaluation under another protocol has the partner of its run. A record without a partner,
    because it is older or has no run, takes the finished run of the same study that was trained
    against the most threats, another variant's first.
    """
    own: Path = folder.path
    about: Told = record
    if judged := judged_run(record, folder.path):
        try:
            own = opened(judged, weights=True)
        except MoatError:
            return Partner()
        its = _record(own)
        if its is None:
            return Partner()
        about = its
    parents = (*own.absolute().parents, *own.resolve().parents)  # a study may lie behind a link
    root = next((above for above in parents if above.name == about.study), None)
    if root is None:
        return Partner()
    if not about.knows_partner:
        return _finished_beside(own, root, record, device)
    if about.partner is None:
        return Partner(why_not=ONLY_RUN)
    return _named(root / about.partner.run, about.partner, record, device)


def _named(run: Path, named: PartnerRecord, record: Told, device: torch.device | str) -> Partner:
    """Return the partner that a record names, which may be done, failed, or neither yet."""
    said = f"The images should come from {named.label}, seed {named.seed}, "
    held = _record(run)
    if held is None:
        why = "which failed." if _has_failed(run) else "which is not finished."
        return Partner(why_not=said + why, is_open=True)
    if not _same_data(held, record):
        return Partner(why_not=said + "which was tested on other images.", is_open=True)
    try:
        return Partner(Other(load(run, device), held.label))
    except MoatError as error:
        first = error.message.splitlines()[0]
        return Partner(why_not=f"{said}which cannot be loaded: {first}", is_open=True)


def _finished_beside(own: Path, root: Path, record: Told, device: torch.device | str) -> Partner:
    """Return the first of the study's finished runs that can be loaded, by the partner's rule."""
    found: list[tuple[bool, int, str, Path, str]] = []
    for folder in find_runs(root):
        held = _record(folder.path)
        if held is None or folder.path.resolve() == own.resolve() or held.is_evaluation_alone:
            continue
        if _same_data(held, record):
            threats = len(held.trains.get("threats") or {})
            same = held.variant == record.variant
            found.append((same, -threats, folder.path.as_posix(), folder.path, held.label))
    for *_, run, label in sorted(found):
        try:
            return Partner(Other(load(run, device), label))
        except MoatError:
            continue
    return Partner()


def _has_failed(run: Path) -> bool:
    try:
        return RunFolder(run).read_failure() is not None
    except MoatError:
        return False


def _record(run: Path) -> RunRecord | None:
    try:
        return RunFolder(run).read_record()
    except MoatError:
        return None


def _same_data(one: Told, other: Told) -> bool:
    return bool(one.data.get("digest") == other.data.get("digest"))
