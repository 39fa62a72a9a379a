"""A run's log, a JSON line a record: added to, read as a whole or from its end, cut off."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from moat.plain import from_json, json_of
from moat.storage import Record, as_table, disk, read, replace, unreadable

BLOCK = 1 << 14
"""Bytes that are read at a time."""


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line."""
    with disk(path), path.open("a", encoding="utf-8") as file:
        file.write(json_of(record) + "\n")


def records_of(path: Path) -> list[Record]:
    """Return a log's records; a last line torn by a crash is left out, no file has none."""
    lines = (read(path, lambda: path.read_text("utf-8")) or "").splitlines()
    with suppress(ValueError):  # at once is three times as fast; a broken line wants its number
        whole = from_json(f"[{','.join(lines)}]")
        if len(whole) == len(lines):
            return [as_table(record) for record in whole]
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(as_table(from_json(line)))
        except ValueError as error:
            if number < len(lines):
                raise unreadable(path, f"line {number}: {error}") from error
    return records


def rewind(path: Path, step: int) -> None:
    """Forget the records of later steps."""
    kept = [record for record in records_of(path) if record.get("step", 0) <= step]
    replace(path, "".join(json_of(record) + "\n" for record in kept).encode())


def newest_first(path: Path) -> Iterator[Record]:
    """Yield a log's records from its last line backwards, reading no more than is asked for.

    What is no record, as a last line that is being written or was torn by a crash, is passed over;
    of no file, nothing.
    """
    for line in _lines_backwards(path):
        with suppress(ValueError):
            yield as_table(from_json(line))


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
