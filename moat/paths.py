"""Paths from people: a check that the system can look them up."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from moat.errors import DiskError, MoatError, NoRunError
from moat.printable import printable
from moat.short_text import cut_short

_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_MENDS = {
    errno.ENAMETOOLONG: "Shorten it: most systems allow a name 255 bytes, and a path 4096.",
    errno.ELOOP: "Delete the link that leads to itself.",
    errno.EACCES: "Ask for permission to enter the folders above it, or name another.",
}
_SHOWN = 200


def require_path(path: Path, kind: type[MoatError] = NoRunError) -> Path:
    """Return a path that the system can look up, whether or not something is there.

    Raises an error of this kind where it cannot: a name is too long or holds a NUL, links lead
    round in a circle, or a folder on the way may not be entered.

    Example:
        >>> require_path(Path("nowhere"))
        PosixPath('nowhere')
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno not in _ABSENT:
            raise _refusal(path, error.strerror or str(error), error.errno, kind) from error
    except ValueError as error:
        raise _refusal(path, "a name holds a NUL character", None, kind) from error
    return path


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files at any depth below a folder, in any order.

    A folder that another process deletes meanwhile is passed over, as are folders that may not be
    read. Links to folders are not followed.
    """
    for here, _, names in os.walk(folder):
        yield from (Path(here, name) for name in names)


def require_place(path: Path) -> Path:
    """Return a path at which a folder is or could be made; NoRunError or DiskError else."""
    require_path(path)
    there = next((one for one in (path, *path.parents) if one.exists()), None)
    if there is not None and not there.is_dir():
        raise DiskError(
            f"cannot write: {os.strerror(errno.ENOTDIR)}.",
            where=str(path),
            hint="Name a folder you may write to with --results.",
        )
    return path


def _refusal(path: Path, why: str, number: int | None, kind: type[MoatError]) -> MoatError:
    return kind(
        f"the system cannot look this path up: {why}.",
        where=cut_short(printable(str(path)), _SHOWN),
        hint=_MENDS.get(number or 0, "Name another."),
    )
