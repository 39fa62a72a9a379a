"""Trained weights in a file that says which run they are of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from moat.runs.ownership import require_own
from moat.storage import as_table, read, replace


def save_weights(path: Path, state: Mapping[str, torch.Tensor], train_hash: str | None) -> None:
    """Keep the weights; the hash stands in the file's metadata."""
    tensors = {  # copies: safetensors refuses weights that two layers share
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in state.items()
    }
    # One key: the order of several would be drawn anew in each process.
    metadata = None if train_hash is None else {"train_hash": train_hash}
    replace(path, save_tensors(tensors, metadata))


def load_weights(path: Path, record: Mapping[str, Any]) -> dict[str, torch.Tensor] | None:
    """Return the weights, None where there are none; ForeignFileError for another run's."""

    def parse() -> dict[str, torch.Tensor]:
        content = path.read_bytes()
        tensors = load_tensors(content)
        require_own(path, content, _metadata(content), record)
        return tensors

    return read(path, parse)


def _metadata(content: bytes) -> dict[str, Any]:
    """Return the metadata of a file that was read: its header is JSON, after its length."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return as_table(header.get("__metadata__") or {})
