"""Arrays in a file, without pickled objects."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import read_array, read_array_header_1_0
from numpy.typing import NDArray

from moat.runs.ownership import require_own
from moat.runs.seal import is_sealed, seal
from moat.storage import read, replace

MOST = 1 << 32
"""Bytes of the arrays of a file: zeros pack to a thousandth."""

Arrays = Mapping[str, NDArray[Any]]


def save_arrays(
    path: Path, arrays: Arrays, *, compressed: bool = True, whose: str | None = None
) -> None:
    """Keep arrays by name; ValueError refuses those of Python objects.

    With an owner (`whose`), the file has a digest of the content and the owner.
    """
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError("Object arrays cannot be saved")  # they would be pickled
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez

    def write(file: BytesIO) -> None:
        save(file, **arrays)
        if whose is not None:
            seal(file, whose)

    replace(path, write)


def load_arrays(
    path: Path,
    without: Collection[str] = (),
    record: Mapping[str, Any] | None = None,
    whose: str | None = None,
) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file, except those named; None without a file.

    Raises ForeignFileError if the run of a given record did not write the file, and RunFolderError
    if the file is damaged or does not belong to the given owner (`whose`).
    """

    def parse() -> dict[str, NDArray[Any]]:
        content = path.read_bytes()
        if whose is not None and not is_sealed(content, whose):
            raise ValueError("it has no digest")
        arrays = _arrays_of(content, without)
        require_own(path, content, arrays, record or {})
        return arrays

    return read(path, parse)


def _arrays_of(content: bytes, without: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file; raise what numpy raises of a broken one."""
    # From bytes: numpy leaves a file open that turns out to be broken.
    with np.load(BytesIO(content), allow_pickle=False) as stored:
        if (size := sum(entry.file_size for entry in stored.zip.infolist())) > MOST:
            raise ValueError(f"unpacked it takes {size:,} bytes")
        members = zip(stored.files, stored.zip.namelist(), strict=True)
        return {
            name: _array_of(stored.zip.read(member))
            for name, member in members
            if name not in without
        }


def _array_of(content: bytes) -> NDArray[Any]:
    """Return the array of an .npy file; a header that was read before is not parsed again."""
    start = 10 + int.from_bytes(content[8:10], "little")
    if not content.startswith(_PLAIN):
        return np.asarray(read_array(BytesIO(content), allow_pickle=False))
    shape, by_column, dtype = _header_of(content[8:start])
    if by_column or dtype.hasobject or not dtype.itemsize or min(shape, default=1) <= 0:
        return np.asarray(read_array(BytesIO(content), allow_pickle=False))
    return np.frombuffer(content, dtype, math.prod(shape), start).reshape(shape).copy()


@lru_cache(maxsize=256)  # a study's runs have the same few
def _header_of(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    return read_array_header_1_0(BytesIO(content))


_PLAIN = b"\x93NUMPY\x01\x00"
"""The first bytes of an .npy file in numpy's first format, that of arrays with a short header."""
