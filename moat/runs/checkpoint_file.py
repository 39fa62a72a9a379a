"""The state of a training between two epochs, in a file with its own digest."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from moat.runs.seal import is_sealed, seal
from moat.runs.weights import load_plainly, save_plainly
from moat.storage import Record, as_table, read, replace


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Keep a state of tensors and plain data."""

    def write(file: BytesIO) -> None:
        save_plainly(state, file)
        seal(file)

    replace(path, write)


def load_checkpoint(path: Path, device: torch.device | str) -> Record | None:
    """Return the state, None without one; raise RunFolderError for a damaged file.

    torch does not verify checksums on reading. A file older than digests is accepted as it is.
    """

    def parse() -> Record:
        content = path.read_bytes()
        is_sealed(content)
        return as_table(load_plainly(BytesIO(content), device))

    return read(path, parse)
