"""Files that are whole or not there: replaced in one step; what cannot be read says why."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

from filelock import Timeout

from moat.errors import DiskError, RunFolderError
from moat.parsing import parse_json

Record = dict[str, Any]
T = TypeVar("T")


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raise DiskError where that is refused."""
    with disk(path):
        path.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step, its folder made if need be."""
    make_folder(path.parent)
    replace(path, text.encode())


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into a DiskError that names the place and the mend."""
    try:
        yield
    except OSError as error:
        if isinstance(error, Timeout):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = (
            "Free some space, then run the same command again: nothing written before is lost."
            if full
            else "Name a folder you may write to with --results."
        )
        why = "the disk is full" if full else (error.strerror or str(error))
        raise DiskError(f"cannot write: {why}.", where=str(path), hint=hint) from error


def require_no_link(path: Path) -> None:
    """Raise RunFolderError where a file or folder that is written in place is a link."""
    if path.is_symlink():
        raise RunFolderError(
            f"it is a link to {os.readlink(path)!r}, and what is written to it would go there.",
            where=str(path),
            hint="Delete the link.",
        )


def sweep(folder: Path) -> None:
    """Delete what a process that was killed in the middle of a write left behind."""
    with suppress(OSError):
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def replace(path: Path, content: bytes | Callable[[IO[bytes]], Any]) -> None:
    """Write beside the file, flush to the disk, then put it in the file's place in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk(path):
        try:
            with temporary.open("wb") as file:
                file.write(content if isinstance(content, bytes) else _in_memory(content))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _in_memory(write: Callable[[IO[bytes]], Any]) -> memoryview:
    # Not straight into the file: torch makes a RuntimeError without a cause of a full disk.
    buffer = BytesIO()
    write(buffer)
    return buffer.getbuffer()


def to_json(value: Any) -> bytes:
    """Return plain data as a text for people."""
    return (json.dumps(value, indent=2) + "\n").encode()


def read_json(path: Path) -> Record | None:
    """Return the table a JSON file holds, None where there is no file."""
    return read(path, lambda: as_table(parse_json(path.read_text("utf-8"))))


def read(path: Path, parse: Callable[[], T]) -> T | None:
    """Return what is parsed, None where there is no file; RunFolderError where it is broken."""
    try:
        if not path.exists():
            return None
        if not (path.is_file() or path.is_dir()):  # a pipe never ends
            raise ValueError("it is no plain file")
        return parse()
    except Exception as error:  # a foreign file makes its parser raise nearly anything
        raise unreadable(path, f"{type(error).__name__}: {error}") from error


def as_table(value: Any) -> Record:
    """Return the value if it is a table; raise ValueError else."""
    if not isinstance(value, dict):
        raise ValueError("it is no table")
    return value


def unreadable(path: Path, why: str) -> RunFolderError:
    """Return the error that says of a file that it cannot be read, and what to do."""
    reason = (why.splitlines() or [why])[0]
    return RunFolderError(
        f"the file is truncated or not moat's ({reason}).",
        where=str(path),
        hint="Delete it, or train this run again with --overwrite.",
    )
