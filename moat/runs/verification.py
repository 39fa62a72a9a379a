"""The check of a file against its run by its digest, without reading its content."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def has_its_digest(path: Path, files: Mapping[str, str] | None) -> bool:
    """Say whether a file has the digest that its run's record names among its `files`.

    False also where the record names none, and where the file cannot be read. Whoever reads the
    file in full then says why.
    """
    named = (files or {}).get(path.name)
    with suppress(OSError):
        if named is not None and path.is_file():  # reading a pipe would wait for ever
            with path.open("rb") as file:
                return bool(named == hashlib.file_digest(file, "sha256").hexdigest())
    return False
