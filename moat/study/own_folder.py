"""An evaluation in a folder of its own: found, refused, or made."""

from collections.abc import Callable
from pathlib import Path

from moat.data import Data
from moat.records import ModelRecord
from moat.runs import RunFolder, require_own_name
from moat.study.judge import Judged, judge, scores_before
from moat.study.overwriting import make_way
from moat.study.places import Place, require_within
from moat.study.subjects import StatedProtocol, Subject
from moat.study.transfer import Judgement, settle
from moat.training import device_for


def judge_apart(
    folder: RunFolder,
    record: ModelRecord,
    subject: Callable[[], Subject],
    data: Data,
    stated: StatedProtocol,
    place: Place,
    mend: str,
) -> Judged:
    """Evaluate a model in a folder below the results folder, unless the evaluation exists.

    The subject is made only when it is evaluated. `mend` is the advice if another model's
    evaluation is in the way. Raises MoatError.
    """
    results = place.results or Path("results")
    study = results / record.study
    for named in (study, folder.path.parent):
        require_own_name(named)
    require_within(folder.path, results)
    if place.overwrite:
        make_way(folder, place.listener)
    with folder.locked():
        before = scores_before(
            folder, record, stated.protocol_hash, place.overwrite, mend, place.listener
        )
        scores = before or judge(subject(), data, stated, place.listener)
    device = device_for(place.device)
    judgement = Judgement(folder, stated.protocol, lambda: subject().model, lambda: data, device)
    settle(judgement, folder.read_record())
    return Judged(folder.path, scores, before=bool(before), study=study)
