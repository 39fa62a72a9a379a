"""The user's files with names of moat's in a run's folder, recognised by their content."""

import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomli_w

from moat.errors import RunFolderError
from moat.kept_code import CODE
from moat.parsing import parse_toml
from moat.records import Clock, Failure, check_record
from moat.runs.code import code_files
from moat.runs.ownership import EVALUATED, record_beside
from moat.runs.parts import PARTS, others_in
from moat.runs.seal import is_sealed
from moat.storage import Record, read_json

WHAT = "a file that is damaged or not moat's"


def strangers_in(folder: Path, record: Record | None = None) -> dict[Path, str]:
    """Return the files that moat would replace but did not write, with their kinds.

    `record` is the run's, if it was read already. Files named in the record of a finished run are
    moat's. Beside a record older than digests no file is checked.
    """
    record = record_beside(folder / "run.json") if record is None else record
    files = record.get("files", {} if not record else None)
    if not isinstance(files, dict):
        return {}
    looked_at = [name for name in _IS_OWN if name not in files and (folder / name).is_file()]
    found = {folder / name: WHAT for name in looked_at if not _is_own(folder / name)}
    places = {folder / PARTS: others_in(folder / PARTS), folder / CODE: _code_of_others(folder)}
    for place, others in places.items():
        if others:
            found[place] = f"a folder with files that are not moat's ({others[0].name})"
    return found


def is_stranger(path: Path) -> bool:
    """Say whether a file with one of moat's names exists and is not moat's."""
    return path.is_file() and not _is_own(path)


def read_small(kind: Any, path: Path) -> Record | None:
    """Return a small file's typed table, None without one; RunFolderError if it is invalid."""
    table = read_json(path)
    if table is not None:
        check_record(kind, table, path, "Delete it.")
    return table


def _code_of_others(folder: Path) -> list[Path]:
    """Return the files of code where moat has never held the folder: it leaves a lock behind."""
    here = any((folder / name).exists() for name in (".lock", "recipe.toml", "run.json"))
    return [] if here else list(code_files(folder).values())


def _is_own(path: Path) -> bool:
    try:
        return _IS_OWN[path.name](path)
    except (RunFolderError, OSError, ValueError, zipfile.BadZipFile):
        return not path.exists()  # it may have gone meanwhile


def _is_stamped_table(path: Path) -> bool:
    return "protocol_hash" in (read_json(path) or {"protocol_hash": "gone"})


def _are_stamped_arrays(path: Path) -> bool:
    with zipfile.ZipFile(path) as arrays:
        return "protocol_hash.npy" in arrays.namelist()


def _is_small(kind: Any) -> Callable[[Path], bool]:
    return lambda path: read_small(kind, path) != {}


def _is_holder(path: Path) -> bool:
    """Say whether a holder may be moat's; a broken one says nothing that could be lost."""
    with suppress(RunFolderError):
        return "pid" in (read_json(path) or {"pid": "gone"})
    return True


def _is_log(path: Path) -> bool:
    """Say whether a log may be moat's, which writes a run's recipe before it."""
    recipe, record = path.with_name("recipe.toml"), path.with_name("run.json")
    return recipe.exists() or record.exists() or path.stat().st_size == 0


def _is_kept_recipe(path: Path) -> bool:
    """Say whether a recipe is one that moat kept; where a run was begun, its plan says that."""
    begun = ("run.json", "checkpoint.pt", "model.safetensors")
    if any(path.with_name(name).exists() for name in begun):
        return True
    text = path.read_text("utf-8")
    document = parse_toml(text)
    variants = document.get("variant")
    return text == tomli_w.dumps(document) and isinstance(variants, list) and len(variants) == 1


def _are_weights(path: Path) -> bool:
    """Say whether weights carry a training hash; those of a finished run have a digest."""
    if path.with_name("run.json").exists():
        return True
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little") % _HEADER))
    return isinstance(header, Mapping) and "train_hash" in (header.get("__metadata__") or {})


def _is_checkpoint(path: Path) -> bool:
    """Say whether a checkpoint is moat's: beside a recipe, that of a time before seals is one."""
    begun = any(path.with_name(name).exists() for name in ("run.json", "recipe.toml"))
    return begun or is_sealed(path.read_bytes())


_HEADER = 100_000_001
"""Bytes that safetensors allow for a header."""
_IS_OWN: Mapping[str, Callable[[Path], bool]] = {
    **{name: _are_stamped_arrays for name in EVALUATED if name.endswith(".npz")},
    "evaluation.json": _is_stamped_table,
    "clock.json": _is_small(Clock),
    "failed.json": _is_small(Failure),
    ".holder.json": _is_holder,
    "log.jsonl": _is_log,
    "recipe.toml": _is_kept_recipe,
    "model.safetensors": _are_weights,
    "conditioned.safetensors": _are_weights,
    "checkpoint.pt": _is_checkpoint,
}
