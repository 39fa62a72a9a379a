"""The run of a file: by its training hash, and by the digest in run.json."""

import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from moat.errors import ForeignFileError, RunFolderError
from moat.parsing import parse_json
from moat.runs.command import command_again
from moat.storage import Record, as_table, hash_of, read, read_json

TRAINED = ("log.jsonl", "model.safetensors", "conditioned.safetensors")
"""The files that a finished run's training wrote and others read."""
EVALUATED = ("evaluation.npz", "evaluation.json", "validation.npz", "gallery.npz")
"""The files of a run that its evaluation writes."""
IDENTITY = {"train_hash": "training hash", "weights": "digest of the weights"}
"""The keys that a file and run.json share, and what they are called."""
SHOWN = 16  # digits of a digest
_TIMED = re.compile(rb'"images_per_second": [^,}]*')


def identity_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys of a record that its run's files carry."""
    return {key: str(record[key]) for key in IDENTITY if key in record}


def digests_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the digest of each existing file."""
    found = {}
    for name in names:
        content = read(folder / name, (folder / name).read_bytes)
        if content is not None:
            found[name] = _digest(name, content)
    return found


def record_beside(path: Path) -> Record:
    """Return the content of run.json beside a file, empty if it is missing or broken."""
    with suppress(RunFolderError):  # reading the record itself says why
        return read_json(path.with_name("run.json")) or {}
    return {}


def require_own(
    path: Path,
    content: bytes,
    carried: Mapping[str, Any],
    record: Mapping[str, Any],
    name: str = "",
) -> None:
    """Raise ForeignFileError for a file that the run of this record did not write.

    `name` is the record's name for it, if it differs from the file's. A foreign file carries
    another run's hash, or its digest differs from the record's. A file or a record older than
    hashes is accepted.
    """
    require_same_run(path, carried, record)
    files = record.get("files")
    named = files.get(name or path.name) if isinstance(files, dict) else None
    if named is not None and (found := _digest(path.name, content)) != named:
        raise ForeignFileError(
            f"the file and run.json do not belong together: its digest is {found[:SHOWN]}, and "
            f"run.json names {str(named)[:SHOWN]}.",
            where=str(path),
            hint=_mend(path, record),
        )


def require_same_run(path: Path, carried: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Raise ForeignFileError if a file carries another run's hash."""
    for key, called in IDENTITY.items():
        if key in carried and key in record and str(carried[key]) != str(record[key]):
            raise ForeignFileError(
                f"the file belongs to another run: its {called} is {carried[key]}, and this run's "
                f"{record[key]}.",
                where=str(path),
                hint=_mend(path, record),
            )


def own_table(path: Path, content: bytes, record: Mapping[str, Any]) -> Record:
    """Return the table of a JSON file that the run of this record wrote."""
    table = as_table(parse_json(content.decode("utf-8"), finite=True))
    require_own(path, content, table, record)
    return table


def _digest(name: str, content: bytes) -> str:
    """Return a file's digest; a log's without its rates, which no two runs of a recipe share."""
    return hash_of(_TIMED.sub(b"", content) if name == "log.jsonl" else content)


def _mend(path: Path, record: Mapping[str, Any]) -> str:
    """Return the mildest mend of a file that is not the run's own."""
    back = "Put the run's own file back"
    if path.name in EVALUATED:
        again = ["moat", "evaluate", str(path.parent)]
        study = str(record.get("study"))
        if command := command_again(record.get("command"), study, path.parent):  # of another model
            again = [*command, "--overwrite"]
        return f"{back}, or make it again: {shlex.join(again)}"
    if path.name == "log.jsonl":
        return f"{back}, or delete it: then the run only loses its curves."
    if path.name == "model.safetensors" and path.with_name("checkpoint.pt").exists():
        return (
            f"{back}. Or delete it, and run.json if there is one: `moat train` then resumes from "
            f"the checkpoint without training again."
        )
    return f"{back}, or train this run again with --overwrite."
