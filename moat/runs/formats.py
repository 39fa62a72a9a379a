"""The readable formats of a record, and the migration of older ones."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from moat.errors import RunFolderError
from moat.storage import Record, unreadable
from moat.version import __version__

Migration = Callable[[Record], Record]
NONE: Mapping[int, Migration] = MappingProxyType({})
"""Of a file whose first format is its newest."""


def in_format(
    table: Record, newest: int, path: Path, migrations: Mapping[int, Migration] = NONE
) -> Record:
    """Return a table in the newest format: an older one is migrated in memory, never in its file.

    `migrations` have, for each older format, the step from it to the next. RunFolderError names a
    newer format with its mend, without guesses at its keys, and an invalid one.

    A key that was added within a format needs no step: its default in `moat.records` is the earlier
    behaviour.
    """
    found = table.get("format")
    if isinstance(found, bool) or not isinstance(found, int):
        raise unreadable(path, f"its format is not {newest}")
    if found > newest:
        writer = table.get("moat")
        known = isinstance(writer, str) and writer.isprintable() and writer != __version__
        by = f" ({writer[:40]})" if known and isinstance(writer, str) else ""
        raise RunFolderError(
            f"it has format {found}, from a newer moat{by}; moat {__version__} reads "
            f"format {newest}.",
            where=str(path),
            hint="Upgrade moat-robust: git pull in its checkout, or install a newer wheel.",
        )
    for step in range(found, newest):
        if step not in migrations:
            raise unreadable(path, f"its format is not {newest}")
        table = {**migrations[step](table), "format": step + 1}
    return table
