"""The end of a run's log, read without the rest of it."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from moat.storage import Record, as_table

BLOCK = 1 << 14
"""Bytes that are read at a time."""


def newest_first(path: Path) -> Iterator[Record]:
    """Yield a log's records from its last line backwards, reading no more than is asked for.

    What is no record, as a last line that is being written or was torn by a crash, is passed over;
    of no file, nothing.
    """
    for line in _lines_backwards(path):
        with suppress(ValueError):
            yield as_table(json.loads(line))


def _lines_backwards(path: Path) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        at, rest = file.seek(0, os.SEEK_END), b""
        while at > 0:
            size = min(BLOCK, at)
            at -= size
            file.seek(at)
            rest, *lines = (file.read(size) + rest).split(b"\n")
            yield from reversed(lines)
        yield rest
