"""Any state dict in the form that safetensors stores.

Dense tensors are kept as they are. Values that safetensors do not support, such as sparse tensors
and the extra state of a module, are kept as the bytes of torch.save under a marked name.
"""

import io
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from moat.errors import ModelError

PACKED = "torch.save:"
"""Before the name of what is kept as bytes."""
_DENSE = frozenset(
    {
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8),
        *(torch.int8, torch.int16, torch.int32, torch.int64),
    }
)


def to_bytes(state: Mapping[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """Return the bytes of a .safetensors file with `metadata` in its header."""
    kept: dict[str, Tensor] = {}
    for name, value in state.items():
        if _is_dense(value):
            # copies: safetensors refuses weights that two layers share
            copied = value.detach().cpu().clone(memory_format=torch.contiguous_format)
            kept[name] = copied
        else:
            kept[PACKED + name] = torch.frombuffer(bytearray(_packed(value)), dtype=torch.uint8)
    return save(kept, metadata)


def from_bytes(content: bytes) -> dict[str, Any]:
    """Return the input of `to_bytes`; no code in the file is run."""
    return {
        name.removeprefix(PACKED): _unpacked(value.numpy().tobytes())
        if name.startswith(PACKED)
        else value
        for name, value in load(content).items()
    }


def require_kept(state: Mapping[str, Any]) -> None:
    """Raise ModelError unless all of a state dict can be kept and read without running code."""
    for name, value in state.items():
        if _is_dense(value):
            continue
        try:
            _unpacked(_packed(value))
        except Exception as error:  # whatever pickle makes of an object of the user's
            raise ModelError(
                f"{name} is of type {type(value).__name__}, which a checkpoint cannot store as "
                f"plain data.",
                hint="Make get_extra_state return numbers, texts and tensors, in lists or tables.",
            ) from error


def save_plainly(state: Mapping[str, Any], file: Any) -> None:
    """Write a table of tensors and plain data into a binary file, as torch does."""
    torch.save(_apart({**state}, {}), file)


def _apart(value: Any, kinds: dict[int, torch.dtype]) -> Any:
    """Return a value in which no storage is read as two types, which torch.save refuses.

    Conjugated views are such, as they stand beside their imaginary parts.
    """
    if isinstance(value, dict):
        same = type(value) in (dict, OrderedDict)
        return type(value)((k, _apart(v, kinds)) for k, v in value.items()) if same else value
    if type(value) in (list, tuple):
        return type(value)(_apart(one, kinds) for one in value)
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_quantized:
        return value
    plain = value.resolve_conj().resolve_neg()
    held = kinds.setdefault(plain.untyped_storage().data_ptr(), plain.dtype)
    return plain if held == plain.dtype else plain.clone()


def load_plainly(file: Path | io.BytesIO, device: torch.device | str = "cpu") -> Any:
    """Return the content of a torch.save file if it is plain data and tensors; no code is run."""
    with warnings.catch_warnings():
        # Sparse tensors are checked whenever no code may run, and torch says so each time.
        warnings.filterwarnings("ignore", "Validating sparse tensor invariants", UserWarning)
        return torch.load(file, map_location=device, weights_only=True)


def _is_dense(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and value.dtype in _DENSE


def _packed(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def _unpacked(content: bytes) -> Any:
    return load_plainly(io.BytesIO(content))
