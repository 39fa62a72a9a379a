"""Digests: 16 hex digits that identify an object by its content."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any


def digest_of_parts(parts: Iterable[bytes]) -> str:
    """Return the digest of bytes laid end to end: the first 16 hex digits of their SHA-256.

    Example:
        >>> digest_of_parts([b"mo", b"at"]) == digest_of_parts([b"moat"])
        True
    """
    found = sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:16]


def digest_of_text(text: str) -> str:
    """Return the digest of a text; names of files that are not UTF-8 have one, too."""
    return digest_of_parts([text.encode("utf-8", "surrogateescape")])


def digest_of_file(path: Path) -> str:
    """Return the digest of a file's content, read once as long as it is not written anew."""
    about = path.stat()
    return _digest_of_file(path, about.st_mtime_ns, about.st_size)


@lru_cache  # every run of a study asks
def _digest_of_file(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return digest_of_parts(iter(lambda: file.read(1 << 20), b""))


def short_hash(value: Mapping[str, Any]) -> str:
    """Return the digest of plain data, whatever the order of its keys."""
    return digest_of_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
