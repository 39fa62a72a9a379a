"""Arrays in a file, without Python objects: none is ever pickled."""

from collections.abc import Callable, Collection, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.runs.ownership import require_own
from moat.storage import read, replace

MOST = 1 << 32
"""Bytes of the arrays of a file: zeros pack to a thousandth."""

Arrays = Mapping[str, NDArray[Any]]


def save_arrays(path: Path, arrays: Arrays, *, compressed: bool = True) -> None:
    """Keep arrays by name; ValueError refuses those of Python objects."""
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError("Object arrays cannot be saved")  # they would be pickled
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    replace(path, lambda file: save(file, **arrays))


def load_arrays(
    path: Path, without: Collection[str] = (), record: Mapping[str, Any] | None = None
) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file, but for those named; None where there is none.

    Raises ForeignFileError where the run of the record, if one is given, did not write the file.
    """

    def parse() -> dict[str, NDArray[Any]]:
        content = path.read_bytes()
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
        return {name: stored[name] for name in stored.files if name not in without}
