"""The check of a file against its run by its digest, without reading its content."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def has_its_digest(path: Path, files: Mapping[str, str] | None) -> bool:
    """Say whether a file has the digest that its run's record names among its `files`.

    It is False also without a digest in the record, and for an unreadable file; a full reading of
    the file then gives the reason.
    """
    named = (files or {}).get(path.name)
    with suppress(OSError):
        if named is not None and path.is_file():  # reading a pipe would wait for ever
            with path.open("rb") as file:
                return bool(named == hashlib.file_digest(file, "sha256").hexdigest())
    return False
