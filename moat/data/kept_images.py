"""Decoded images in a folder: an array, its digest, and the list of unreadable files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.parsing import parse_json
from moat.plain import json_of
from moat.storage import to_json

ARRAY, BROKEN = "images.npy", "broken.json"
Why = dict[int, str]
"""Why files could not be read, by position in their list."""


def describe(folder: Path, address: str, broken: Why) -> None:
    """Write beside an array which of its images are broken, and the digest of it all.

    `address` says what the images are of, so that no other folder's are taken for them.
    """
    told = {str(row): why for row, why in broken.items()}
    digest = _digest(folder / ARRAY, address, told)
    (folder / BROKEN).write_bytes(to_json({"digest": digest, "broken": told}))


def mapped(
    folder: Path, address: str, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], Why] | None:
    """Return the array, mapped into memory, and what of it is broken.

    None where a file is missing, damaged, of other images, or of a time before there were digests.
    """
    try:
        told = parse_json((folder / BROKEN).read_text("utf-8"))
        pixels = np.load(folder / ARRAY, mmap_mode="c")  # copy on write: torch wants to write
        if pixels.shape != shape or pixels.dtype != np.uint8:
            return None
        if told["digest"] != _digest(folder / ARRAY, address, told["broken"]):
            return None
        return pixels, {int(row): why for row, why in told["broken"].items()}
    except (OSError, EOFError, ValueError, TypeError, LookupError, AttributeError):
        return None


def _digest(array: Path, address: str, broken: Mapping[str, Any]) -> str:
    with array.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json_of([address, broken]).encode())
    return digest.hexdigest()
