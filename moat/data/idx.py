"""IDX files, the format of MNIST and its kin: plain or gzipped."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from moat.errors import DataError

BYTES = 0x08
"""The code of unsigned bytes in an IDX file's header."""
_MOST = 1 << 31


def read_idx(folder: Path, name: str) -> torch.Tensor:
    """Return the array of bytes in an IDX file, or in the .gz that it is packed in.

    Raises DataError that names the file where neither is there, or where it is cut.

    Source: LeCun et al., The MNIST Database, 1998, its page's section on file formats.
    """
    path = _found(folder, name)
    try:
        if path.suffix != ".gz":
            return _array(path.read_bytes())
        with gzip.open(path, "rb") as file:
            return _array(file.read(_MOST))
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"the file cannot be read: {str(error) or type(error).__name__}.",
            where=str(path.resolve()),
            hint="It is truncated or of another kind: get it again.",
        ) from error


def missing_files(folder: Path, names: Sequence[str]) -> list[str]:
    """Return which of these files a folder has neither unpacked nor as .gz."""
    return [name for name in names if not any(one.is_file() for one in _places(folder, name))]


def _found(folder: Path, name: str) -> Path:
    return next((one for one in _places(folder, name) if one.is_file()), folder / name)


def _places(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / name, folder / f"{name}.gz"


def _array(content: bytes) -> torch.Tensor:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != BYTES:
        raise ValueError("it does not begin like an IDX file of bytes")
    end = 4 + 4 * content[3]
    sides = [int.from_bytes(content[at : at + 4], "big") for at in range(4, end, 4)]
    size = int(np.prod(sides, dtype=object))
    if len(content) != end + size:
        raise ValueError(f"its header says {size:,} bytes, and {len(content) - end:,} follow")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=end).reshape(sides).copy())
