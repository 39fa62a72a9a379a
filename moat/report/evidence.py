"""What lies in a finished run's folder, once it is looked at: nothing stored is trusted unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moat.errors import RunFolderError
from moat.outcomes import Outcomes, from_arrays, summary
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
    """What lies in a finished run's folder: its record, outcomes, their scores, its sanity gate."""

    record: Record
    outcomes: Outcomes
    scores: Record
    sanity: tuple[Record, ...]


def evidence_of(folder: RunFolder, *, losses: bool = True) -> Evidence:
    """Return what a finished run says of itself and what was found, once the two agree.

    Without `losses`, these are not read.
    """
    record = folder.read_record() or {}
    _require_kinds(folder, record, RECORD, "")
    require_one_training(record, folder.path)
    require_one_protocol(record, folder.path)
    protocol = record["protocol"]
    _require_kinds(folder, protocol, _PROTOCOL, "protocol.")
    without = _NO_SCORE if losses else (*_NO_SCORE, "losses")
    outcomes, about = _stored(folder, record["protocol_hash"], without)
    if set(outcomes.threats) != set(protocol["threats"]):
        raise _untrusted(
            folder,
            f"threats {_names(outcomes.threats)} were searched, its protocol names "
            f"{_names(protocol['threats'])}",
        )
    ensembles = table_of(protocol.get("ensembles"))
    if {name: list(members) for name, members in outcomes.ensembles.items()} != ensembles:
        raise _untrusted(
            folder,
            f"ensembles {_names(outcomes.ensembles)} were made, its protocol names "
            f"{_names(ensembles)}, or other members",
        )
    if unknown := set(protocol["summed"]) - set(outcomes.names):
        raise _untrusted(folder, f"{_names(unknown)} is to be summed and was not searched")
    require_one_result(record, about, folder.path)
    scores: Record = summary(outcomes, protocol["summed"])
    require_found(record, scores, folder.path)
    return Evidence(record, outcomes, scores, _checks(folder, about))


def _checks(folder: RunFolder, about: Record) -> tuple[Record, ...]:
    """Return the checks of the sanity gate, none where an evaluation was made before there was."""
    checks = about.get("sanity", [])
    if not isinstance(checks, list) or not all(map(_is_check, checks)):
        raise _untrusted(folder, "its sanity gate is no list of checks")
    return tuple(checks)


def table_of(value: Any) -> dict[str, Any]:
    """Return the value if it is a table, an empty one else."""
    return value if isinstance(value, dict) else {}


def _is_check(value: Any) -> bool:
    """Say whether a value is a check of the gate, as evaluation stores it."""
    check = table_of(value)
    texts = all(isinstance(check.get(key), str) for key in _CHECK)
    return texts and isinstance(check.get("figure"), float | int | None)


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


def _stored(
    folder: RunFolder, protocol_hash: str, without: Sequence[str] = ()
) -> tuple[Outcomes, Record]:
    """Return the outcome matrix, and what is stored beside it."""
    loaded = folder.load_evaluation(without=without)
    if loaded is None:
        raise RunFolderError(
            "the run is finished but its evaluation is missing.",
            where=str(folder.path),
            hint="`moat evaluate` with this folder makes it.",
        )
    arrays, about = loaded
    for held in (arrays, about):
        made_under = str(held.get("protocol_hash", protocol_hash))
        if protocol_hash and made_under != protocol_hash:
            raise _untrusted(
                folder, f"it is of protocol {made_under}, its record of {protocol_hash}"
            )
    try:
        return from_arrays(arrays), about
    except (ValueError, TypeError) as error:
        raise _untrusted(folder, str(error)) from error


def _require_kinds(folder: RunFolder, table: Record, kinds: dict[str, type], prefix: str) -> None:
    for name, kind in kinds.items():
        if not isinstance(table.get(name), kind):
            raise RunFolderError(
                f"its record is not moat's: {prefix}{name} is {table.get(name)!r} and should be "
                f"of type {kind.__name__}.",
                where=str(folder.path / "run.json"),
                hint=_AGAIN,
            )


def _untrusted(folder: RunFolder, why: str) -> RunFolderError:
    return RunFolderError(
        f"its evaluation cannot be trusted: {why}.", where=str(folder.path), hint=_AGAIN
    )


def _names(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"


RECORD: dict[str, type] = {
    **{"study": str, "variant": str, "sweep": dict, "seed": int, "label": str},
    **{"data": dict, "protocol": dict, "protocol_hash": str},
}
_PROTOCOL: dict[str, type] = {"threats": dict, "summed": list}
_NO_SCORE = ("first", "last", "reached", "blind")  # what the gate alone asked for
_CHECK = ("name", "verdict", "text")
_AGAIN = "`moat evaluate` with this folder makes it anew; `moat train --overwrite` trains it again."
