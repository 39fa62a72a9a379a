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


def judge_apart(
    folder: RunFolder,
    record: ModelRecord,
    subject: Callable[[], Subject],
    data: Data,
    stated: StatedProtocol,
    place: Place,
    mend: str,
) -> Judged:
    """Judge a model in a folder below the results folder, unless its evaluation is there already.

    The subject is asked for only when it is judged. `mend` is what helps where another model's
    evaluation stands in the way. Raises MoatError.
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
        if before:
            return Judged(folder.path, before, before=True, study=study)
        return Judged(folder.path, judge(subject(), data, stated, place.listener), study=study)
