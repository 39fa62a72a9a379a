"""The folders that moat reads and writes, and their file locks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from moat.doctor.finding import Finding, Health, told

_AREA = "folders"
_LEAST = 1 << 30
"""Bytes below which a disk is called nearly full."""


def folders(results: Path) -> Iterator[Finding]:
    """Yield whether results, cache and temporary files can be written, and where data lie."""
    yield from _written("results", results, "name another with --results")
    yield from _written("cache", results / ".cache", "make it writable, or delete it")
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        yield Finding(
            _AREA, "temporary", Health.fault, told(error), "set TMPDIR to a writable folder"
        )
    else:
        yield from _written("temporary", temporary, "set TMPDIR to a writable folder")
    yield _data()


def _written(subject: str, folder: Path, mend: str) -> Iterator[Finding]:
    """Write, lock and delete a trial file in a folder, or in the nearest above that exists."""
    try:
        place = next(p for p in (folder, *folder.absolute().parents) if os.path.lexists(p))
        if not place.is_dir():
            yield Finding(_AREA, subject, Health.fault, f"{place} is not a folder", mend)
            return
        with tempfile.TemporaryDirectory(prefix=".moat-doctor-", dir=place) as trial:
            Path(trial, "file").write_bytes(b"moat")
            locked = _locks(Path(trial, "lock"))
            free = shutil.disk_usage(trial).free
    except (OSError, NotImplementedError, ValueError) as error:
        yield Finding(
            _AREA, subject, Health.fault, f"{folder} cannot be written: {told(error)}", mend
        )
        return
    made = "" if place == folder else f", to be made in {place}"
    text = f"{folder}{made}: writable, {free / _LEAST:.1f} GiB free"
    if not locked:
        mend = f"two processes would write one run; {mend}, on a disk of this machine"
        yield Finding(_AREA, subject, Health.warning, f"{text}; file locks do not work here", mend)
    elif free < _LEAST:
        yield Finding(_AREA, subject, Health.warning, text, f"free some space, or {mend}")
    else:
        yield Finding(_AREA, subject, Health.ok, text)


def _locks(path: Path) -> bool:
    """Say whether a lock keeps a second one out."""
    with FileLock(path):
        try:
            with FileLock(path, timeout=0):
                return False
        except Timeout:
            return True


def _data() -> Finding:
    """Return where data are looked for; the digits come with moat."""
    asked = os.environ.get("MOAT_DATA")
    folder = Path(asked or "data")
    subject = "MOAT_DATA" if asked else "data"
    try:
        count = len(list(folder.iterdir()))
    except FileNotFoundError:
        text = f"{folder} does not exist; the digits come with moat"
        mend = "set MOAT_DATA to the folder of the data, or data.root in a recipe"
        return Finding(_AREA, subject, Health.warning if asked else Health.absent, text, mend)
    except OSError as error:
        mend = "name another folder, or make this one readable"
        return Finding(_AREA, subject, Health.warning, f"{folder}: {error.strerror}", mend)
    return Finding(_AREA, subject, Health.ok, f"{folder}, {count} entries")
