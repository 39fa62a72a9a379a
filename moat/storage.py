"""Files that are whole or absent: replaced in one step; an error of reading gives its reason."""

import errno
import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

from filelock import Timeout

from moat.errors import BusyError, DiskError, MoatError, RunFolderError
from moat.own_files import mend_of_file
from moat.parsing import BoundError, parse_json
from moat.plain import json_of
from moat.printable import printable

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

Record = dict[str, Any]
UNSUPPORTED = {
    *(errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP),
    *(errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR),
}
"""The errors of systems for unknown operations, as against a disk that fails or is full."""
T = TypeVar("T")
PATIENCE = 10.0
"""Seconds to wait for another process that writes reports, or a list: each takes a moment."""
_REFUSED = {
    *(errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ESTALE, errno.ETIMEDOUT),
}
"""The errors of the system for a file that cannot be read and may be whole."""
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.moat-\d+\.tmp")


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raise DiskError where that is refused."""
    with disk(path):
        path.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step, its folder made if need be."""
    make_folder(path.parent)
    replace(path, encoded(text))


def encoded(text: str) -> bytes:
    """Return a text as UTF-8, with escapes for the bytes of file names that are none."""
    return text.encode("utf-8", "backslashreplace")


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into a DiskError that names the place and the mend."""
    try:
        yield
    except NotImplementedError as error:  # what filelock makes of it
        raise DiskError(
            "the disk cannot lock files, so two processes could write the same run.",
            where=str(path),
            hint="Name a folder on another disk with --results.",
        ) from error
    except OSError as error:
        if isinstance(error, Timeout):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = (
            "Free some space, then run the same command again: no file is lost."
            if full
            else _ELSEWHERE.format(option="--results")
        )
        why = "the disk is full" if full else (error.strerror or str(error))
        raise DiskError(f"cannot write: {why}.", where=str(path), hint=hint) from error
    except ValueError as error:
        if "\0" not in str(path):
            raise
        raise DiskError(
            "cannot write: a name holds a NUL character.",
            where=printable(str(path)),
            hint="Leave it out.",
        ) from error


@contextmanager
def naming(option: str) -> Iterator[None]:
    """Let what the disk refuses inside name the option of a command that says where it writes."""
    try:
        yield
    except DiskError as error:
        if error.hint == _ELSEWHERE.format(option="--results"):
            raise DiskError(error.message, error.where, _ELSEWHERE.format(option=option)) from error
        raise


_ELSEWHERE = "Name a folder you may write to with {option}."


def require_no_link(path: Path) -> None:
    """Raise RunFolderError where a file or folder that is written in place is a link."""
    if path.is_symlink():
        raise RunFolderError(
            f"it is a link to {os.readlink(path)!r}, where writes to it would go.",
            where=str(path),
            hint="Delete the link.",
        )


def sweep(folder: Path, names: Collection[str]) -> None:
    """Delete what a process that was killed in the middle of a write of these files left behind."""
    with suppress(OSError):
        for path in temporaries(folder, names):
            path.unlink(missing_ok=True)


def temporaries(folder: Path, names: Collection[str]) -> list[Path]:
    """Return the temporary files of these files in a folder."""
    made = [(path, _TEMPORARY.fullmatch(path.name)) for path in folder.glob(".*.tmp")]
    return [path for path, match in made if match and match["name"] in names]


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Be the only one to write reports into a folder, which gets no file of a lock.

    Raises BusyError where another process does not let go of it. Where the system or the disk
    cannot lock a folder, nothing is locked.
    """
    with disk(folder):
        opened = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if opened is not None:
            _lock(opened, folder)
        yield
    finally:
        if opened is not None:
            os.close(opened)


def _lock(opened: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BusyError(
                    "another process is writing reports into this folder.",
                    where=str(folder),
                    hint="Wait for it, or name another folder with --out.",
                ) from None
            time.sleep(0.05)
        except OSError:  # a network disk that locks no folders
            return


def hash_of(content: bytes | memoryview) -> str:
    """Return the digest of a file's content."""
    return sha256(content).hexdigest()


def replace(path: Path, content: bytes | Callable[[BytesIO], Any]) -> None:
    """Write beside the file, flush to the disk, then put it in the file's place in one step."""
    with replacing(path) as file:
        file.write(content if isinstance(content, bytes) else _in_memory(content))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Let a file be written beside another, and put it in that one's place at the end."""
    temporary = path.with_name(f".{path.name}.moat-{os.getpid()}.tmp")
    with disk(path):
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                with _where_it_can():
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        flush(path.parent)


def flush(path: Path) -> None:
    """Flush a file or a folder's names to the disk, where its system can do that.

    Windows opens no folder, and some network disks flush none; they keep the names all the same.
    """
    with _where_it_can():
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def _where_it_can() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _in_memory(write: Callable[[BytesIO], Any]) -> memoryview:
    # Not straight into the file: torch makes a RuntimeError without a cause of a full disk.
    buffer = BytesIO()
    write(buffer)
    return buffer.getbuffer()


def to_json(value: Any) -> bytes:
    """Return plain data as a text for people; what JSON does not have is null."""
    return (json_of(value, indent=2) + "\n").encode()


def read_json(path: Path) -> Record | None:
    """Return the table a JSON file holds, None where there is not a file.

    RunFolderError names the key of a number that is not finite.
    """
    return read(path, lambda: as_table(parse_json(path.read_text("utf-8"), finite=True)))


def read(path: Path, parse: Callable[[], T]) -> T | None:
    """Return what is parsed, None where there is not a file; RunFolderError where it is broken."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("it is not a regular file")  # reading a pipe would wait for ever
        return parse() if path.exists() else None
    except MoatError:
        raise
    except BoundError as error:
        raise unreadable(path, str(error)) from error
    except FileNotFoundError:  # it went while it was looked at
        return None
    except Exception as error:  # a foreign file makes its parser raise nearly anything
        if isinstance(error, OSError) and error.errno in _REFUSED:
            raise RunFolderError(
                f"cannot read: {error.strerror}.",
                where=str(path),
                hint="The file itself may be whole. Check its permissions and its disk, then run "
                "the same command again.",
            ) from error
        raise unreadable(path, f"{type(error).__name__}: {error}") from error


def as_table(value: Any) -> Record:
    """Return the value if it is a table; raise ValueError else."""
    if not isinstance(value, dict):
        raise ValueError("it is not a table")
    return value


def unreadable(path: Path, why: str) -> RunFolderError:
    """Return the error that says of a file that it cannot be read, and what to do."""
    if path.is_dir():
        return RunFolderError(
            "a folder is in the place of a file of moat's.",
            where=str(path),
            hint="Move it away and run the same command again; or use --overwrite, which moves it "
            "aside.",
        )
    reason = (why.splitlines() or [why])[0]
    return RunFolderError(
        f"the file is truncated or not moat's ({reason}).",
        where=str(path),
        hint=mend_of_file(path.name, str(path.parent)),
    )
