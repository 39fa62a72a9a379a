"""A disk that refuses one call below a folder, or a process that dies at it."""

import errno
import inspect
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from moat.public import public

READ, OPEN, WRITE, FLUSH = "open to read", "open to write", "write", "fsync"
REPLACE, DELETE, MAKE, CLEAR = "replace", "unlink", "mkdir", "rmdir"
ERRORS: dict[str, tuple[int, ...]] = {
    READ: (errno.EIO, errno.EACCES),
    OPEN: (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO),
    WRITE: (errno.ENOSPC, errno.EIO, errno.EDQUOT),
    FLUSH: (errno.EIO, errno.ENOSPC),
    REPLACE: (errno.EIO, errno.EACCES, errno.EROFS, errno.ENOSPC),
    DELETE: (errno.EACCES, errno.EROFS, errno.EIO),
    MAKE: (errno.ENOSPC, errno.EACCES, errno.EROFS),
    CLEAR: (errno.EACCES, errno.EROFS),
}
"""The possible errors of a disk for each kind of call."""


class Killed(BaseException):
    """The death of the process: not to be caught, and without a later write to the disk.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder) / "log"
        ...     try:
        ...         with faulty_disk(Path(folder), at=2):  # call 1 opens the file, call 2 writes
        ...             _ = file.write_text("four words, half kept")
        ...     except Killed:
        ...         file.read_text()
        'four words'
    """


Fault = int | Callable[[], object]
"""The number of an error, of `errno`; or how a process ends."""


def die() -> NoReturn:
    """End as a killed process does, for a test that goes on afterwards."""
    raise Killed


def kill() -> None:
    """End this process, which is one of its own."""
    os.kill(_own_number(), signal.SIGKILL)


_own_number = os.getpid
NO_PROCESS = 2**22 + 1
"""The number of no process, which the one with the faulty disk goes by: it is not there later."""


@dataclass
class FaultyDisk:
    """The calls to a disk below a folder, one by one, and the one that it refuses.

    `versions` are the contents that a file was replaced by. A write that is refused, or at which
    the process dies, has written half.
    """

    folder: str
    at: int
    fault: Fault
    lasting: bool
    calls: list[tuple[str, str]] = field(default_factory=list)
    versions: dict[str, set[bytes]] = field(default_factory=dict)
    dead: bool = False
    owed: bool = False  # the next write fails: of this one, half was made

    def sees(self, path: Any, folder: int | None = None) -> str:
        """Return a path as text, nothing if it lies elsewhere."""
        if isinstance(path, int):
            path = _path_of(path)
        elif folder is not None:
            path = os.path.join(_path_of(folder), os.fsdecode(path))
        whole = os.path.abspath(os.fsdecode(path))
        return whole if whole == self.folder or whole.startswith(self.folder + os.sep) else ""

    def bears(self, kind: str, path: str) -> bool:
        """Count a call and say whether it may be made; a dead process makes none."""
        if self.dead:
            if kind in (READ, OPEN):
                raise Killed
            return False
        self.calls.append((kind, os.path.relpath(path, self.folder)))
        number = len(self.calls)
        hit = number == self.at
        if self.lasting and isinstance(self.fault, int) and number > self.at > 0:
            hit = self.fault in ERRORS[kind] and kind is not READ
        if hit and kind is WRITE:
            return False  # half of it comes first
        if hit:
            self.strike(path)
        return True

    def strike(self, path: str) -> None:
        """Fail the call, or die."""
        if isinstance(self.fault, int):
            raise OSError(self.fault, os.strerror(self.fault), path)
        self.dead = True
        self.fault()


@public
@contextmanager
def faulty_disk(
    folder: Path, at: int = 0, fault: Fault = die, *, lasting: bool = False
) -> Iterator[FaultyDisk]:
    """Let the call of this number below a folder fail, or let the process die at it; 0 is none.

    Calls that open, write, flush, replace, delete and make files and folders are counted from 1,
    if they go through `os`, `open` or `pathlib`. With `lasting` the disk goes on to refuse: every
    later call that could meet the same error, other than to read, meets it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, faulty_disk(Path(folder)) as disk:
        ...     _ = (Path(folder) / "a").write_text("b")
        >>> disk.calls
        [('open to write', 'a'), ('write', 'a')]
    """
    disk = FaultyDisk(os.path.abspath(folder), at, fault, lasting)
    with ExitStack() as stack:
        for name, kind in _ON_PATHS.items():
            stack.enter_context(mock.patch.object(os, name, _on_path(disk, name, kind)))
        for name in ("open", "fsync", "write", "replace", "rename"):
            make = globals()[f"_{name}"]
            stack.enter_context(mock.patch.object(os, name, make(disk, getattr(os, name))))
        stack.enter_context(mock.patch.object(os, "getpid", return_value=NO_PROCESS))
        opened = _open_file(disk, io.open)
        stack.enter_context(mock.patch.object(io, "open", opened))
        stack.enter_context(mock.patch("builtins.open", opened))
        yield disk


_ON_PATHS = {"unlink": DELETE, "remove": DELETE, "mkdir": MAKE, "rmdir": CLEAR}


def _on_path(disk: FaultyDisk, name: str, kind: str) -> Callable[..., Any]:
    truly = getattr(os, name)

    def call(path: Any, *args: Any, dir_fd: int | None = None, **keys: Any) -> Any:
        seen = disk.sees(path, dir_fd)
        if seen and not disk.bears(kind, seen):
            return None
        return truly(path, *args, dir_fd=dir_fd, **keys)

    return call


def _open(disk: FaultyDisk, truly: Callable[..., int]) -> Callable[..., int]:
    def call(path: Any, flags: int, *args: Any, dir_fd: int | None = None, **keys: Any) -> int:
        if seen := disk.sees(path, dir_fd):
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            disk.bears(OPEN if writes else READ, seen)
        return truly(path, flags, *args, dir_fd=dir_fd, **keys)

    return call


def _fsync(disk: FaultyDisk, truly: Callable[[int], None]) -> Callable[[Any], None]:
    def call(file: Any) -> None:
        number = file if isinstance(file, int) else file.fileno()
        seen = disk.sees(number)
        if not seen or disk.bears(FLUSH, seen):
            truly(number)

    return call


def _write(disk: FaultyDisk, truly: Callable[..., int]) -> Callable[..., int]:
    def call(number: int, content: Any) -> int:
        seen = disk.sees(number)
        return _half_or_all(disk, seen, content, lambda part: truly(number, part), short=False)

    return call


def _replace(disk: FaultyDisk, truly: Callable[..., None]) -> Callable[..., None]:
    def call(source: Any, target: Any, **keys: Any) -> None:
        seen = disk.sees(target)
        if seen and not disk.bears(REPLACE, seen):
            return
        if seen and os.path.isfile(source):
            with mock.patch.object(disk, "calls", []), Path(source).open("rb") as file:
                disk.versions.setdefault(os.path.relpath(seen, disk.folder), set()).add(file.read())
        truly(source, target, **keys)

    return call


_rename = _replace


def _open_file(disk: FaultyDisk, truly: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        given = _OPEN_SIGNATURE.bind(*arguments, **keywords)
        given.apply_defaults()
        file, mode, buffering, encoding, errors, newline, *_ = given.arguments.values()
        seen = "" if isinstance(file, int) else disk.sees(file)
        if not seen or not set("wax+") & set(mode):
            if seen:
                disk.bears(READ, seen)
            return truly(*arguments, **keywords)
        disk.bears(OPEN, seen)
        raw: Any = _File(disk, seen, mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)

    return call


_OPEN_SIGNATURE = inspect.signature(io.open)


class _File(io.FileIO):
    """A file whose writes are counted."""

    def __init__(self, disk: FaultyDisk, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self.disk, self.path = disk, path

    def write(self, content: Any, /) -> int:
        """Write all, half, or as a dead process nothing."""
        return _half_or_all(self.disk, self.path, content, super().write, short=True)


def _half_or_all(
    disk: FaultyDisk, path: str, content: Any, write: Callable[[Any], int | None], *, short: bool
) -> int:
    """Write all, or half of it; a `short` write says so, and the next is refused, as disks do."""
    if disk.owed:
        disk.owed = False
        disk.strike(path)
    if not path or disk.bears(WRITE, path):
        return write(content) or 0
    if disk.dead:
        return len(content)
    written = write(bytes(content)[: len(content) // 2]) or 0
    disk.owed = short and written > 0 and isinstance(disk.fault, int)
    if not disk.owed:
        disk.strike(path)
        return len(content)
    return written


def _path_of(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")
