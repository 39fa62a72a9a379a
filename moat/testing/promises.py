"""The promises of a command about files in a folder, checked at every call that may fail."""

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from moat.errors import MoatError
from moat.public import public
from moat.testing.faults import ERRORS, READ, Fault, FaultyDisk, Killed, die, faulty_disk

LOCKS = (".lock", ".study.lock")
DiskContents = dict[str, bytes]
Versions = dict[str, set[bytes]]


@dataclass(frozen=True)
class Case:
    """One call of a command, and what befalls it."""

    at: int
    kind: str
    path: str
    fault: Fault
    lasting: bool = False

    def __str__(self) -> str:
        what = os.strerror(self.fault) if isinstance(self.fault, int) else "killed"
        return (
            f"{what}{' from then on' if self.lasting else ''} at call {self.at}, {self.kind} "
            + (self.path)
        )


@public
def check_faults(
    folder: Path,
    command: Callable[[], object],
    *,
    most: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    changing: Collection[str] = (),
) -> int:
    """Check a command's promises under every fault below the folder; return the number of cases.

    The folder holds the command's input, including a user's files. The command first runs without a
    fault, then for each case from the same state: one call of the disk is refused, once or from
    then on, or kills the process. Each time

    - its error is a MoatError;
    - each file is the old one or a whole new one; a log may end early;
    - files that a whole run leaves alone, such as a user's, are unchanged;
    - the same command, repeated, ends with the bytes of the whole run, and leaves no other files.

    If there are more cases than `most`, or than `seconds` allow, the seed draws some of them. Files
    named in `changing` are exempt: they hold the time. Raises AssertionError with the case.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from moat.storage import replace, sweep
        >>> def save(folder):
        ...     sweep(folder, ["log"])  # what a process left when it died
        ...     replace(folder / "log", b"whole")
        >>> with TemporaryDirectory() as folder:
        ...     results = Path(folder) / "results"
        ...     results.mkdir()
        ...     check_faults(results, lambda: save(results), most=5)
        5
    """
    keep = folder.with_name(f"{folder.name}.before")
    shutil.copytree(folder, keep, symlinks=True)
    before = _files(folder, changing)
    with faulty_disk(folder) as disk:
        command()
    after = _files(folder, changing)
    cases = [*_cases(disk)]
    Random(seed).shuffle(cases)
    began, done = time.monotonic(), 0
    for case in cases[:most]:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        shutil.rmtree(folder)
        shutil.copytree(keep, folder, symlinks=True)
        failed = _fail(folder, command, case)
        written = [disk.versions, failed.versions if case.kind == READ else {}]
        _require_whole(_files(folder, changing), before, after, written, case)
        try:
            command()
        except Exception as error:
            raise AssertionError(f"{case}: run again, it raises {error!r}") from error
        _require_equal(_files(folder, changing), after, case)
        done += 1
    return done


def _cases(disk: FaultyDisk) -> Iterator[Case]:
    for number, (kind, path) in enumerate(disk.calls, 1):
        yield Case(number, kind, path, die)
        for error in ERRORS[kind]:
            yield Case(number, kind, path, error)
            yield Case(number, kind, path, error, lasting=True)


def _fail(folder: Path, command: Callable[[], object], case: Case) -> FaultyDisk:
    with faulty_disk(folder, case.at, case.fault, lasting=case.lasting) as disk:
        try:
            command()
        except (Killed, MoatError):
            pass
        except BaseException as error:
            raise AssertionError(f"{case}: it raises {error!r}, not a MoatError") from error
    return disk


def _require_whole(
    found: DiskContents,
    before: DiskContents,
    after: DiskContents,
    written: Sequence[Versions],
    case: Case,
) -> None:
    """Raise AssertionError where a file is neither as it was nor as a write made it.

    A run that could not read a file may say so in a report: its own whole writes count, then.
    """
    for name, content in found.items():
        known = {before.get(name), after.get(name)}.union(*(one.get(name, ()) for one in written))
        begun = after.get(name, b"").startswith(content) and name.endswith(".jsonl")
        if content not in known and not begun and not name.endswith((".tmp", *LOCKS)):
            raise AssertionError(f"{case}: {name} is neither the old file nor a new one")
    for name, content in before.items():
        if after.get(name) == content and name not in written[0] and name not in found:
            raise AssertionError(f"{case}: {name} is gone")


def _require_equal(found: DiskContents, after: DiskContents, case: Case) -> None:
    for name in sorted({*found, *after}):
        if found.get(name) != after.get(name):
            what = "left behind" if name not in after else "missing" if name not in found else ""
            raise AssertionError(f"{case}: run again, {name} is {what or 'not the same'}")


def _files(folder: Path, changing: Collection[str]) -> DiskContents:
    """Return every file below a folder, but for locks and those that change."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if path.name not in (*LOCKS, *changing)
    }
