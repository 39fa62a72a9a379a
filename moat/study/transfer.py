"""The gate's transfer check, which waits for another run.

The second of the two runs makes the check. A run looks for its partner after it has released its
folder, and the partner looks for it after its own record is written; so one of the two finds the
other, whatever the processes and the order.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from torch import nn

from moat.data import Data
from moat.errors import MoatError
from moat.evaluation import Evaluation, Protocol
from moat.evaluation.sanity import examine_transfer, no_transfer
from moat.evaluation.search_results import Found
from moat.precision import plain_torch
from moat.records import ModelRecord, RunRecord
from moat.runs import RunFolder
from moat.study.loading import record_of
from moat.study.other_model import Partner, partner_model

Told = TypeVar("Told", ModelRecord, RunRecord)


def marked(record: Told, partner: Partner, pass_size: int | None) -> Told:
    """Return a record with the state of the check, the reason, and the size of its passes.

    The passes are those of the evaluation, so that the result is the same now and later.
    """
    if partner.is_open:
        return record.replace(open_transfer={"why": partner.why_not, "pass_size": pass_size})
    closed = {key: value for key, value in record.as_table().items() if key != "open_transfer"}
    return type(record).model_validate(closed)


@dataclass(frozen=True)
class Judgement:
    """The inputs of an evaluation, for a later check."""

    folder: RunFolder
    protocol: Protocol
    model: Callable[[], nn.Module]
    data: Callable[[], Data]
    device: torch.device


@plain_torch()
def settle(
    judgement: Judgement,
    record: RunRecord | None,
    planned: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Make the check that waits for the partner, if the partner is done; report a failure.

    `record` is the run's as it was read; `planned` is its entry for the partner, if the recipe is
    known. An obstacle leaves the check open, since the run itself is done. A folder that another
    process holds is left to that process, which looks once more on release.
    """
    folder = judgement.folder
    if record is None or record.open_transfer is None:
        return
    with suppress(MoatError):
        partner = partner_model(folder, record.replace(**planned).model, judgement.device)
        if partner.other is None and partner.why_not == record.open_transfer.why:
            return
        if folder.read_failure() is not None:  # it is tried again, and locking forgets why
            return
        with folder.locked():
            _answer(judgement, partner, planned)
        if partner.other is None:  # which may have ended while the folder was held
            settle(judgement, folder.read_record(), planned)


def _answer(judgement: Judgement, partner: Partner, planned: Mapping[str, Any]) -> None:
    folder = judgement.folder
    record, held = record_of(folder), folder.load_evaluation()
    if record is None or record.open_transfer is None or held is None:  # somebody else was here
        return
    arrays, about = held
    size = record.open_transfer.pass_size
    if partner.other is None:
        check = no_transfer(partner.why_not)
    else:
        evaluation = Evaluation(Found.of(arrays), arrays["ids"], judgement.protocol, size)
        check = examine_transfer(evaluation, judgement.model(), judgement.data(), partner.other)
    checks = [
        check.as_table() if one.name == check.name else one.as_table() for one in about.sanity
    ]
    folder.replace_scores({**about.as_table(), "sanity": checks})
    record = marked(record.replace(**planned), partner, size)
    folder.write_record(record.replace(files=folder.digests(record.files)))
    folder.clear_parts()
