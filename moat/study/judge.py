"""One evaluation from a model to its folder: evaluate it, and keep the record."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from moat.data import Data
from moat.digests import digest_of_text
from moat.dotted import changes
from moat.errors import MoatError, RunFolderError
from moat.evaluation import EvaluationProgress, evaluate, make_gallery
from moat.evaluation.sanity import examine
from moat.events import Listener, ignore
from moat.models.network_digest import digest_of_network
from moat.models.unsaved_state import digest_of_weights
from moat.parsing import parse_json
from moat.plain import json_of
from moat.records import ModelRecord, RunRecord
from moat.runs import RunFolder, identity_of, require_one_protocol, require_one_result
from moat.storage import Record
from moat.study.events import evaluation_steps
from moat.study.loading import record_of
from moat.study.other_model import partner_model
from moat.study.overwriting import clear
from moat.study.plugin_versions import evaluation_plugins
from moat.study.subjects import StatedProtocol, Subject
from moat.study.transfer import marked
from moat.threats import home_of
from moat.threats.cautions import told_elsewhere
from moat.version import __version__


@dataclass(frozen=True)
class Judged:
    """The result of one model's evaluation: its folder, and its scores or its error."""

    folder: Path
    scores: Record | None = None
    before: bool = False  # it was there, and nothing was done
    error: MoatError | None = None
    study: Path | None = None  # the folder that it was put into, for a front


@told_elsewhere()
def judge(subject: Subject, data: Data, stated: StatedProtocol, listener: Listener) -> Record:
    """Evaluate a model, keep its outcomes, then its record; return the scores.

    The examples held out from training are searched in the same way as the test examples, so that a
    model can be chosen without the latter. The caller holds the folder's lock.
    """
    folder, model, record = subject.folder, subject.model, subject.record
    protocol, protocol_hash, size = stated.protocol, stated.protocol_hash, subject.pass_size
    plugins = evaluation_plugins(stated.evaluates)
    started, whole = time.monotonic(), folder.newest_part() is None
    tell = evaluation_steps(listener, folder.path)
    parts = folder.evaluation_parts(_fingerprint(model, data, protocol_hash, record, plugins))
    searched = partial(evaluate, model, pass_size=size, memory=stated.memory)
    evaluation = searched(data, protocol=protocol, progress=tell, parts=parts)
    scores = evaluation.scores()
    owner = {"protocol_hash": protocol_hash, **identity_of(record.as_table())}
    stamp = {key: np.array(value) for key, value in owner.items()}
    validation = None
    if (held_out := subject.held_out) is not None:
        kept = parts.validation()
        tell_held_out = evaluation_steps(listener, folder.path, held_out=True)
        found = searched(held_out, protocol=protocol, progress=tell_held_out, parts=kept)
        validation = {**found.outcomes.to_arrays(), **stamp}
    partner = partner_model(folder, record, home_of(model))
    tell(EvaluationProgress(1, 1, "sanity gate", 1, 1))
    checks = examine(
        evaluation,
        model,
        data,
        other=partner.other,
        why_no_other=partner.why_not,
        pass_size=size,
    )
    told = {"scores": scores, "sanity": [check.as_table() for check in checks]}
    gallery = make_gallery(model, data, protocol, pass_size=size)
    parts.make()
    folder.save_evaluation(
        {**evaluation.arrays(), **stamp},
        {**owner, **told},
        validation=validation,
        gallery={**gallery.arrays(), **stamp},
    )
    record = marked(record, partner, evaluation.pass_size)
    if whole and folder.read_clock().get("protocol_hash") != protocol_hash:
        took = round(time.monotonic() - started, 2)  # of no part that was searched before
        folder.write_clock({"evaluation": took, "protocol_hash": protocol_hash})
    folder.write_record(
        record.judged(
            protocol_hash=protocol_hash,
            protocol=stated.evaluates,
            scores=scores,
            files=folder.digests(record.files),
            plugins=plugins,
        )
    )
    folder.clear_parts()
    return scores


def _fingerprint(
    model: nn.Module,
    data: Data,
    protocol_hash: str,
    record: ModelRecord,
    plugins: Mapping[str, str],
) -> str:
    """Return what an evaluation must share with the one that it goes on from.

    The code of a model that is a file of the user's stands in `trains`, by its digest; a package's
    is told by its version.
    """
    said = [record.trains, digest_of_network(model), *([dict(plugins)] if plugins else [])]
    made = json.dumps(said, sort_keys=True)
    weights = digest_of_weights(model)
    text = f"{protocol_hash}/{data.test.digest()}/{__version__}/{made}/{weights}"
    return digest_of_text(text)


def scores_before(
    folder: RunFolder,
    record: ModelRecord,
    protocol_hash: str,
    overwrite: bool,
    mend: str,
    listener: Listener = ignore,
) -> Record | None:
    """Return the scores of the same evaluation if the folder has it, None if it may be written.

    Another model's evaluation is refused with RunFolderError, or deleted if it is to be
    overwritten; a run that moat trains is always refused. The caller holds the folder's lock.
    """
    try:
        held = None if _is_run(folder) else record_of(folder)
    except RunFolderError:
        if not overwrite:
            raise
        clear(folder, listener)
        return None
    if _is_run(folder) or (held is not None and not held.is_evaluation_alone):
        raise RunFolderError(
            "the folder contains a run that moat trained.",
            where=str(folder.path),
            hint=f"Nothing was overwritten. {mend}.",
        )
    if held is None:
        return None
    before, now = (
        {key: one.get(key) for key in ("trains", "weights")}
        for one in (held.as_table(), parse_json(json_of(record.as_table()), plain=False))
    )
    if changed := changes(before, now):
        if not overwrite:
            raise RunFolderError(
                f"the folder holds the evaluation of another model: {'; '.join(changed)}.",
                where=str(folder.path),
                hint=f"Nothing was overwritten. {mend}, or replace it with --overwrite.",
            )
        clear(folder, listener)  # else a new matrix could stand beside the old record
        return None
    same = held.protocol_hash == protocol_hash and held.data == record.data
    return whole_scores(folder, held) if same and not overwrite else None


def _is_run(folder: RunFolder) -> bool:
    return folder.recipe.exists() or folder.checkpoint.exists()


def whole_scores(folder: RunFolder, record: RunRecord) -> Record | None:
    """Return the scores of a complete evaluation, None for a broken one.

    A process that died between its writes may have left the matrix of another protocol. Raises
    RunFolderError if the record contradicts itself or its evaluation.
    """
    require_one_protocol(record, folder.path)
    try:
        held = folder.load_evaluation()
    except RunFolderError:
        return None
    if held is None:
        return None
    (arrays, about), of = held, record.protocol_hash
    require_one_result(record, about, folder.path)
    whole = (about.protocol_hash or of) == of == str(arrays.get("protocol_hash", of))
    return record.scores if whole and _are_scores(record.scores or {}) else None


def _are_scores(scores: Record) -> bool:
    """Say whether a record's scores are those that a line on the terminal names."""
    if not isinstance(scores.get("scores"), dict):
        return False
    named = {"natural": scores.get("natural"), "union": scores.get("union"), **scores["scores"]}
    return all(isinstance(score, int | float | None) for score in named.values())
