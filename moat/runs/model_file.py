"""Trained weights in a file that names their run."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moat.parsing import parse_json
from moat.runs.ownership import require_own, require_same_run
from moat.storage import as_table, read, replace


def weights_file(place: Path) -> Path:
    """Return the file of weights at a place: a run folder's own, or the file itself."""
    return place / "model.safetensors" if place.is_dir() else place


def save_weights(path: Path, state: Mapping[str, Any], train_hash: str | None) -> None:
    """Save the weights, with the hash in the file's metadata."""
    from moat.runs.weights import to_bytes

    # One key: the order of several would be drawn anew in each process.
    metadata = None if train_hash is None else {"train_hash": train_hash}
    replace(path, to_bytes(state, metadata))


def load_weights(path: Path, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the weights, None without any; raise ForeignFileError for another run's."""
    from moat.runs.weights import from_bytes

    def parse() -> dict[str, Any]:
        content = path.read_bytes()
        state = from_bytes(content)
        require_own(path, content, _metadata(content), record)
        return state

    return read(path, parse)


def require_whole_weights(path: Path, record: Mapping[str, Any]) -> None:
    """Raise RunFolderError for weights that are cut or another run's, by their header.

    No weight is read, so the check suits readers of a thousand runs; edited weights pass unnoticed.
    """

    def parse() -> None:
        with path.open("rb") as file:
            size, length = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
            header = as_table(parse_json(file.read(min(length, size)).decode("utf-8")))
        tables = [as_table(table) for name, table in header.items() if name != _METADATA]
        whole = 8 + length + max((int(table["data_offsets"][1]) for table in tables), default=0)
        if size != whole:
            raise ValueError(f"it has {size:,} bytes, and by its header {whole:,}")
        require_same_run(path, as_table(header.get(_METADATA) or {}), record)

    read(path, parse)


_METADATA = "__metadata__"


def _metadata(content: bytes) -> dict[str, Any]:
    """Return the metadata of a file that was read: its header is JSON, after its length."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return as_table(header.get(_METADATA) or {})
