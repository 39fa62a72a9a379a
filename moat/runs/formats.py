"""Which format of a record this moat reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moat.errors import RunFolderError
from moat.storage import unreadable
from moat.version import __version__


def require_format(record: Mapping[str, Any], known: int, path: Path) -> None:
    """Raise RunFolderError unless a record is of the format that this moat reads.

    A newer one is named with its mend: no key of it is guessed at.
    """
    found = record.get("format")
    if found == known and not isinstance(found, bool):
        return
    if isinstance(found, int) and not isinstance(found, bool) and found > known:
        raise RunFolderError(
            f"it is of format {found}, which a newer moat wrote; moat {__version__} reads format "
            f"{known}.",
            where=str(path),
            hint="Read it with that moat: pip install --upgrade moat.",
        )
    raise unreadable(path, f"its format is not {known}")
