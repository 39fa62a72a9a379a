"""The contents of a finished run's folder, checked: stored files are not trusted unseen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moat.errors import NoRunError, RunFolderError
from moat.outcomes import Outcomes, from_arrays, summary
from moat.records import Check, EvaluationRecord, Gallery, RunRecord
from moat.runs import (
    RunFolder,
    require_found,
    require_one_protocol,
    require_one_result,
    require_one_training,
)
from moat.storage import Record


@dataclass(frozen=True, eq=False)
class Evidence:
    """The content of a finished run's folder: its record, outcomes, scores, and sanity gate."""

    record: RunRecord
    outcomes: Outcomes
    scores: Record
    sanity: tuple[Check, ...]  # empty where the evaluation was made before there was a gate


def evidence_of(folder: RunFolder, *, losses: bool = True) -> Evidence:
    """Return what a finished run says of itself and what was found, once the two agree.

    Without `losses`, these are not read.
    """
    record = require_record(folder)
    require_one_training(record, folder.path)
    require_one_protocol(record, folder.path)
    without = _NO_SCORE if losses else (*_NO_SCORE, "losses")
    outcomes, about = _stored(folder, record.protocol_hash, without, record)
    _require_searched(folder, record, outcomes)
    require_one_result(record, about, folder.path)
    scores: Record = summary(outcomes, record.protocol.summed)
    require_found(record, scores, folder.path)
    return Evidence(record, outcomes, scores, about.sanity)


def require_record(folder: RunFolder) -> RunRecord:
    """Return the record of a finished run; raise RunFolderError where there is none."""
    record = folder.read_record()
    if record is None:
        raise NoRunError(
            "the folder has no finished run (no run.json).", where=str(folder.path), hint=_AGAIN
        )
    return record


def _require_searched(folder: RunFolder, record: RunRecord, outcomes: Outcomes) -> None:
    """Raise RunFolderError where an outcome matrix has other threats than the run's protocol."""
    protocol = record.protocol
    if set(outcomes.threats) != set(protocol.threats):
        raise _untrusted(
            folder,
            f"threats {_names(outcomes.threats)} were searched, its protocol names "
            f"{_names(protocol.threats)}",
        )
    if dict(outcomes.ensembles) != protocol.ensembles:
        raise _untrusted(
            folder,
            f"ensembles {_names(outcomes.ensembles)} were made, its protocol names "
            f"{_names(protocol.ensembles)}, or other members",
        )
    if unknown := set(protocol.summed) - set(outcomes.names):
        raise _untrusted(folder, f"{_names(unknown)} is part of the sum but was not searched")


def outcomes_of(folder: RunFolder, protocol_hash: str = "") -> Outcomes:
    """Return the stored outcome matrix of a run, made under this protocol where one is named."""
    return _stored(folder, protocol_hash)[0]


def validation_of(folder: RunFolder, protocol_hash: str) -> Outcomes | None:
    """Return the outcomes of a run's held-out examples under its protocol, None without any."""
    arrays = folder.load_validation()
    if arrays is None:
        return None
    made_under = str(arrays.get("protocol_hash"))
    if made_under != protocol_hash:
        raise _untrusted(
            folder, f"its validation is of protocol {made_under}, its record of {protocol_hash}"
        )
    try:
        return from_arrays(arrays)
    except (ValueError, TypeError) as error:
        raise _untrusted(folder, f"its validation: {error}") from error


def gallery_of(folder: RunFolder, protocol_hash: str = "") -> Gallery | None:
    """Return a run's gallery, None where there is none; RunFolderError where it is not moat's.

    An evaluation that was cut short may have left one of another protocol: that is none.
    """
    arrays = folder.load_gallery()
    if arrays is None or str(arrays.get("protocol_hash", protocol_hash)) != protocol_hash:
        return None
    try:
        return Gallery.from_arrays(arrays)
    except ValueError as error:
        raise RunFolderError(
            f"its gallery is not moat's: {error}.",
            where=str(folder.path / "gallery.npz"),
            hint="`moat evaluate` with this folder makes it anew.",
        ) from error


def _stored(
    folder: RunFolder,
    protocol_hash: str,
    without: Sequence[str] = (),
    record: RunRecord | None = None,
) -> tuple[Outcomes, EvaluationRecord]:
    """Return the outcome matrix, and what is stored beside it."""
    loaded = folder.load_evaluation(without=without, of=record)
    if loaded is None:
        raise RunFolderError(
            "the run is finished but its evaluation is missing.",
            where=str(folder.path),
            hint="`moat evaluate` with this folder makes it.",
        )
    arrays, about = loaded
    for made_under in (
        str(arrays.get("protocol_hash", protocol_hash)),
        about.protocol_hash or protocol_hash,
    ):
        if protocol_hash and made_under != protocol_hash:
            raise _untrusted(
                folder, f"it is of protocol {made_under}, its record of {protocol_hash}"
            )
    try:
        return from_arrays(arrays), about
    except (ValueError, TypeError) as error:
        raise _untrusted(folder, str(error)) from error


def _untrusted(folder: RunFolder, why: str) -> RunFolderError:
    return RunFolderError(
        f"its evaluation cannot be trusted: {why}.", where=str(folder.path), hint=_AGAIN
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


_NO_SCORE = ("first", "last", "reached", "blind")  # what the gate alone asked for
_AGAIN = "`moat evaluate` with this folder makes it anew; `moat train --overwrite` trains it again."
