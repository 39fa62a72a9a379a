"""The agreement of a run's record with itself: its hashes, and its repeated names.

A record without digests is older than these, and is accepted as it is.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from moat.digests import short_hash
from moat.errors import RunFolderError
from moat.records import EvaluationRecord, RunRecord, label_of
from moat.runs.command import command_again


def require_one_training(record: RunRecord, run: Path) -> None:
    """Raise RunFolderError if a record contradicts itself about its training."""
    if record.files is None:
        return
    for said, other in _training(record):
        raise _contradiction(f"{said}, and {other}", run, _mend_of_training(record, run))


def require_one_protocol(record: RunRecord, run: Path) -> None:
    """Raise RunFolderError if a record's protocol does not match its protocol_hash."""
    if record.files is None:
        return
    found, said = short_hash(record.protocol.as_table()), record.protocol_hash
    if found != said:
        what = f"protocol_hash is {said}, but the hash of its protocol is {found}"
        raise _contradiction(what, run, _mend_of_evaluation(record, run))


def require_one_result(record: RunRecord, about: EvaluationRecord, run: Path) -> None:
    """Raise RunFolderError if the scores of run.json and evaluation.json differ."""
    if record.files is None or about.scores is None or record.scores is None:
        return
    for key, here, there in _differences(record.scores, about.scores, "scores"):
        what = f"{key} is {_shown(here)} here and {_shown(there)} in evaluation.json"
        raise _contradiction(what, run, _mend_of_evaluation(record, run))


def require_found(
    record: RunRecord, made: Mapping[str, Any], run: Path, tolerance: float = 1e-6
) -> None:
    """Raise RunFolderError if a record's accuracy differs from its outcome matrix.

    `made` are the scores of the matrix, as `moat.outcomes.summary` makes them: natural, union, and
    the accuracies at each strength.
    """
    if record.files is None or record.scores is None:
        return
    searched = bool(made.get("accuracy"))  # else an older record says natural again as union
    names = ("natural", *(["union"] if searched else []), "accuracy")
    stated, found = ({n: one[n] for n in names if n in one} for one in (record.scores, made))
    for key, here, there in _differences(stated, found, "scores"):
        numbers = [one for one in (here, there) if isinstance(one, int | float)]
        if len(numbers) == 2 and abs(numbers[0] - numbers[1]) <= tolerance:
            continue
        what = f"{key} is {_shown(here)}, and that of evaluation.npz {_shown(there)}"
        raise _contradiction(what, run, _mend_of_evaluation(record, run))


def _training(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield what a record says of its training, and otherwise elsewhere in it."""
    if record.train_hash is not None:
        if (found := short_hash(record.trains)) != record.train_hash:
            said = f"train_hash is {record.train_hash}"
            yield said, f"the hash of its training settings (trains) is {found}"
        trained = record.trains.get("data")
        for key, stated, known in (
            ("seed", record.seed, record.trains),
            *((key, value, trained) for key, value in _data(record)),
        ):
            name = key if key == "seed" else f"data.{key}"
            if isinstance(known, dict) and key in known and known[key] != stated:
                yield f"{name} is {_shown(stated)}", f"trains.{name} {_shown(known[key])}"
    usual = label_of(record.variant, record.sweep)
    if usual != record.label:
        yield f"label is {_shown(record.label)}", f"that of variant and sweep {_shown(usual)}"


def _data(record: RunRecord) -> list[tuple[str, Any]]:
    """Return what a record says of its test data, if they are those of its training."""
    if record.of:
        return []
    return [(key, value) for key, value in record.data.items() if key != "digest"]


def _differences(one: Any, other: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield where two plain values differ: the dotted key, and both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            yield from _differences(one.get(name), other.get(name), f"{key}.{name}")
    elif one != other:
        yield key, one, other


def _contradiction(what: str, run: Path, hint: str) -> RunFolderError:
    return RunFolderError(
        f"the record contradicts itself: {what}.", where=str(run / "run.json"), hint=hint
    )


def _mend_of_evaluation(record: RunRecord, run: Path) -> str:
    again = ["moat", "evaluate", str(run)]
    if command := command_again(record.command, record.study, run):
        again = [*command, "--overwrite"]
    return f"Put the run's own run.json back, or make it again: {shlex.join(again)}"


def _mend_of_training(record: RunRecord, run: Path) -> str:
    if record.command:
        return _mend_of_evaluation(record, run)
    if (run / "checkpoint.pt").exists():
        return (
            "Put the run's own run.json back. Or delete it: `moat train` then resumes from the "
            "checkpoint without training again, and evaluates."
        )
    return "Put the run's own run.json back, or train this run again with --overwrite."


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
