"""The writer of a run folder: the lock, a file with the holder's name, and its sign of life."""

import os
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from filelock import FileLock, Timeout

from moat.errors import BusyError
from moat.parsing import parse_json
from moat.plain import json_of
from moat.storage import Record, as_table, disk, make_folder, replace, sweep

BEAT = 5.0
"""Seconds between two beats of a holder: its file's time is set to now."""
POSIX = os.name == "posix"
"""Whether signal 0 asks for a process."""
SILENT = 30.0
"""Seconds without a beat after which a holder is taken for dead."""


@contextmanager
def held(
    folder: Path, lock_file: Path, holder: Path, files: Collection[str] = ()
) -> Iterator[None]:
    """Hold a folder as its only writer; raise BusyError with the present holder.

    The temporary files of a killed writer are deleted.
    """
    make_folder(folder)
    lock = FileLock(lock_file)
    try:
        with disk(folder):
            lock.acquire(blocking=False)
    except Timeout:
        who = _said(holder)
        raise BusyError(
            f"another process is writing this run: process {_plainly(who.get('pid'))} on "
            f"{_plainly(who.get('host'))}.",
            where=str(folder),
            hint="Wait for it, or stop it; the run resumes where it was.",
        ) from None
    try:
        sweep(folder, files)
        replace(holder, json_of({"pid": os.getpid(), **_here()}).encode())
        with _beating(holder):
            yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def is_alive(holder: Path) -> bool:
    """Say whether the holder named in a file is alive, by reading only.

    The lock itself is not tested: a test holds it for a moment, in which a writer would be refused;
    and on a shared disk only one machine may know it. Instead, a holder updates the time of its
    file every few seconds, which every machine with the disk can read; the file of a killed process
    is no longer updated. On the holder's own machine (by host name and process namespace, which
    separates containers) its process must exist as well: so a kill is noticed at once there, and
    after half a minute elsewhere and on Windows, where a query would end the process. The clocks
    must agree within that time. A process that is suspended, by Ctrl-Z or a sleeping machine,
    counts as dead, too.
    """
    if not holder.is_file():  # a pipe would never open
        return False
    try:
        with holder.open(
            "rb"
        ) as file:  # opened: a network disk may show an old time of what is not
            silent = time.time() - os.fstat(file.fileno()).st_mtime
    except OSError:
        return False
    who = _said(holder)
    if silent > SILENT:
        return False
    elsewhere = any(who.get(key) != value for key, value in _here().items())
    return elsewhere or _exists(who.get("pid"))


@contextmanager
def _beating(holder: Path) -> Iterator[None]:
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(OSError):
                os.utime(holder)

    heart = Thread(target=beat, name="holder", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _said(holder: Path) -> Record:
    """Return what the file says, nothing where it is gone or broken."""
    with suppress(OSError, ValueError):  # it may be let go of at this moment
        if holder.is_file():
            return as_table(parse_json(holder.read_text("utf-8"), plain=False))
    return {}


def _plainly(value: object) -> str:
    """Return what a holder says of itself, for a line of a terminal."""
    text = str(value)
    return text[:80] if value is not None and text.isprintable() else "unknown"


def _here() -> dict[str, str]:
    """Return what tells one machine's processes from another's."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    return {"host": socket.gethostname(), "namespace": namespace}


def _exists(pid: object) -> bool:
    """Say whether this machine has a process of that number."""
    if not isinstance(pid, int) or pid <= 0:
        return False
    if not POSIX:
        return True  # its beat says so, and on Windows asking would end the process
    try:
        os.kill(pid, 0)  # asks, and sends nothing
    except PermissionError:
        return True  # another user's
    except (OSError, OverflowError):
        return False
    return True
