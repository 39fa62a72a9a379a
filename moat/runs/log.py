"""A run's log, one JSON line for each record: appended, read whole or from its end, truncated."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from moat.errors import RunFolderError
from moat.parsing import parse_json
from moat.plain import json_of
from moat.records import LogLine, check_lines
from moat.runs.ownership import require_own
from moat.storage import (
    Record,
    as_table,
    disk,
    hash_of,
    read,
    replace,
    require_no_link,
    unreadable,
)

BLOCK = 1 << 14
"""Bytes that are read at a time."""


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line."""
    require_no_link(path)
    with disk(path), path.open("a", encoding="utf-8") as file:
        file.write(json_of(record) + "\n")


def records_of(path: Path, record: Mapping[str, Any] | None = None) -> list[Record]:
    """Return a log's records, without a last line torn by a crash; none without a file.

    Raises RunFolderError with the line and the key of an invalid record, and ForeignFileError if
    the finished run of a given record had another log.
    """

    def parse() -> str:
        content = path.read_bytes()
        require_own(path, content, {}, record or {})
        return content.decode("utf-8")

    records = _parsed((read(path, parse) or "").splitlines(), path)
    check_lines(LogLine, records, path, "Delete it, or train this run again with --overwrite.")
    return records


def _parsed(lines: Sequence[str], path: Path) -> list[Record]:
    with suppress(ValueError):  # at once is three times as fast; a broken line wants its number
        whole = parse_json(f"[{','.join(lines)}]", plain=False)
        if len(whole) == len(lines):
            return [as_table(record) for record in whole]
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(as_table(parse_json(line, plain=False)))
        except ValueError as error:
            if number < len(lines):
                raise unreadable(path, f"line {number}: {error}") from error
    return records


def rewind(path: Path, step: int) -> None:
    """Forget the records of later steps."""
    kept = [record for record in records_of(path) if record["step"] <= step]
    replace(path, "".join(json_of(record) + "\n" for record in kept).encode())


def extent(path: Path) -> Record:
    """Return a log's lines, bytes and digest, once all of it is on the disk."""
    if not path.exists():
        return _extent_of(b"")
    with disk(path), path.open("r+b") as file:
        os.fsync(file.fileno())
        return _extent_of(file.read())


def rewind_to(path: Path, known: Mapping[str, Any]) -> None:
    """Truncate a log to an earlier extent; raise RunFolderError if it does not reach that far.

    So a log that was cut, changed or exchanged is detected.
    """
    content = read(path, path.read_bytes) or b""
    kept = content[: known["bytes"]]
    found = _extent_of(kept)
    if found != known:
        there = f"{found['lines']} lines of {found['bytes']} bytes"
        cut = found["bytes"] < known["bytes"]
        what = f"{there} are left" if cut else "their digest differs"
        raise RunFolderError(
            "the file is truncated or not moat's (the checkpoint knows "
            f"{known['lines']} lines of {known['bytes']} bytes, and {what}).",
            where=str(path),
            hint="Put the whole log back, or train this run again with --overwrite.",
        )
    replace(path, kept)


def _extent_of(content: bytes) -> Record:
    return {"lines": content.count(b"\n"), "bytes": len(content), "digest": hash_of(content)}


def newest_first(path: Path) -> Iterator[Record]:
    """Yield a log's records from its last line backwards, and read only as far as needed.

    A line that is not a record, such as a last one torn by a crash, is skipped. Without a file
    nothing is yielded.
    """
    for line in _lines_backwards(path):
        with suppress(ValueError):
            yield as_table(parse_json(line))


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
