"""Trained weights in a file that names their run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moat.runs.ownership import require_own
from moat.storage import as_table, read, replace


def save_weights(path: Path, state: Mapping[str, Any], train_hash: str | None) -> None:
    """Keep the weights; the hash stands in the file's metadata."""
    from moat.runs.weights import to_bytes

    # One key: the order of several would be drawn anew in each process.
    metadata = None if train_hash is None else {"train_hash": train_hash}
    replace(path, to_bytes(state, metadata))


def load_weights(path: Path, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the weights, None where there are none; ForeignFileError for another run's."""
    from moat.runs.weights import from_bytes

    def parse() -> dict[str, Any]:
        content = path.read_bytes()
        state = from_bytes(content)
        require_own(path, content, _metadata(content), record)
        return state

    return read(path, parse)


def _metadata(content: bytes) -> dict[str, Any]:
    """Return the metadata of a file that was read: its header is JSON, after its length."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return as_table(header.get("__metadata__") or {})
