"""The files of reports in a folder: only these are replaced or deleted.

The folder keeps their names and digests in a hidden file, the manifest. What it does not list, or
was changed since, stays as it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from moat.errors import DiskError, RunFolderError
from moat.records import Manifest, check_record
from moat.storage import (
    disk,
    hash_of,
    locked_folder,
    make_folder,
    naming,
    read_json,
    replace,
    sweep,
    to_json,
)

REPORT_MANIFEST = ".moat-manifest.json"
"""The file in a report's folder that lists what reports wrote there."""
_FORMAT = 1
_Digests = dict[str, list[str]]  # of a file by name; two while it is being replaced


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    make_folder(folder)
    with locked_folder(folder):
        yield


def write_files(
    files: Mapping[str, str | bytes], folder: Path, names: Sequence[str], endings: Sequence[str]
) -> list[Path]:
    """Write files into a folder and return their paths.

    Others there that are called as one of the names, numbered or not, and that a report wrote, are
    deleted. Raises DiskError, before anything is written, where a file of the same name is not a
    report's or was changed since.
    """
    contents = {
        name: content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }
    new = {name: [hash_of(content)] for name, content in contents.items()}
    with naming("--out"), _locked(folder):
        old = _read(folder)
        _require_replaceable(folder, new, old)
        sweep(folder, [*old, *new, REPORT_MANIFEST])
        # First, so that a command that is killed in between leaves no file that nobody wrote.
        both = {name: [*old.get(name, []), *new.get(name, [])] for name in {**old, **new}}
        _write(folder, {name: sorted(set(digests)) for name, digests in both.items()})
        for name, content in contents.items():
            replace(folder / name, content)
        earlier = re.compile(rf"({'|'.join(names)})(-\d+)?\.({'|'.join(endings)})")
        stale = [name for name in old if name not in new and earlier.fullmatch(name)]
        for name in stale:
            if _digest(folder / name) in old[name]:
                with disk(folder / name):
                    (folder / name).unlink()
        _write(folder, {name: both[name] for name in old if name not in [*stale, *new]} | new)
    return [folder / name for name in files]


def listed_files(folder: Path) -> list[Path]:
    """Return the files in a folder that reports wrote and nobody changed since."""
    listed = _read(folder)
    return [folder / name for name in sorted(listed) if _digest(folder / name) in listed[name]]


def _require_replaceable(folder: Path, new: _Digests, old: _Digests) -> None:
    """Raise DiskError of files that no report wrote and that say something else."""
    there = [name for name in new if (folder / name).exists() or (folder / name).is_symlink()]
    others = [n for n in there if _digest(folder / n) not in [*new[n], *old.get(n, [])]]
    if others:
        more = f", as are {', '.join(others[1:])}" if others[1:] else ""
        raise DiskError(
            f"cannot write: the file there is not a moat report, or was changed since{more}.",
            where=str(folder / others[0]),
            hint="Nothing was written. Move it away, or name another folder with --out.",
        )


def _read(folder: Path) -> _Digests:
    """Return what the manifest lists; nothing where it is missing or broken."""
    with suppress(RunFolderError):
        if content := read_json(folder / REPORT_MANIFEST):
            check_record(Manifest, content, folder / REPORT_MANIFEST, "")
            files: _Digests = content["files"]
            return files
    return {}


def _write(folder: Path, files: _Digests) -> None:
    content = to_json({"format": _FORMAT, "files": dict(sorted(files.items()))})
    if _digest(folder / REPORT_MANIFEST) != hash_of(content):
        replace(folder / REPORT_MANIFEST, content)


def _digest(path: Path) -> str | None:
    """Return the digest of a file, None of what is not one or cannot be read."""
    with suppress(OSError):
        if path.is_file():
            return hash_of(path.read_bytes())
    return None
