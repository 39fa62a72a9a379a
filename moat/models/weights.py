"""Pretrained weights: from a local file, or published by torchvision."""

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlparse

import torch
from safetensors.torch import load as load_tensors
from torch import Tensor

from moat.digests import digest_of_file, digest_of_parts
from moat.errors import MissingWeightsError, ModelError, did_you_mean
from moat.names import names_file
from moat.paths import require_path

DIGEST = "weights_digest"
"""The recipe key that says what a weights file holds, wherever it lies."""

StateDict = dict[str, Tensor]


def digest_of_state(state: Mapping[str, Any]) -> str:
    """Return 16 hex digits that identify weights by their names and values, in whatever file.

    Example:
        >>> one = {"a": torch.ones(2), "b": torch.zeros(1)}
        >>> digest_of_state(one) == digest_of_state(dict(reversed(one.items())))
        True
    """
    return digest_of_parts(
        part for name, value in sorted(state.items()) for part in _parts(name, value)
    )


def _parts(name: str, value: Any) -> Iterator[bytes]:
    """Yield what identifies one entry of a state dict, also one that is not a dense tensor."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        yield f"{name} {value.dtype} {tuple(value.shape)}\n".encode()
        if value.is_quantized:
            yield f"{value.qscheme()} {value.dequantize().flatten().tolist()}".encode()
        else:
            # what was conjugated or negated as a view alone has no bytes of its own
            plain = value.to_dense().resolve_conj().resolve_neg().contiguous().flatten()
            yield plain.view(torch.uint8).numpy().tobytes() if len(plain) else b""
    elif isinstance(value, Mapping):
        for key, one in sorted(value.items(), key=str):
            yield from _parts(f"{name}.{key}", one)
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _parts(f"{name}.{number}", one)
    else:
        yield f"{name} {value!r}\n".encode()


def read_weights(path: Path, digest: str | None = None, *, hint: str = "") -> StateDict:
    """Return the tensors of a .safetensors, .pth or .pt file by their names.

    Of a checkpoint's table, those under one of `STATE_KEYS`. What wrappers put before every name
    ("module.", say) is left out. Raises ModelError where the file is missing (with a hint of the
    caller's), is none of these, or holds anything else than `digest` says.
    """
    if not require_path(path, ModelError).is_file():
        near = [file.name for file in path.parent.glob("*") if names_file(file.name)]
        raise MissingWeightsError(
            f"the weights file {str(path)!r} does not exist.{did_you_mean(path.name, near)}",
            hint=hint
            or "Its path is relative to the folder of the recipe. Only the start of a run needs "
            "the weights.",
        )
    if digest and (found := digest_of_file(path)) != digest:
        raise ModelError(
            f"the weights file {str(path)!r} has the digest {found}, and the recipe says {digest}.",
            hint=f"Restore the file, or change model.{DIGEST}: that is another training.",
        )
    try:
        if path.suffix == ".safetensors":
            held: Any = load_tensors(path.read_bytes())
        else:
            with warnings.catch_warnings():
                # Sparse tensors are checked where no code may run, and torch says so each time.
                warnings.filterwarnings("ignore", "Validating sparse tensor", UserWarning)
                held = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ModelError(
            f"the file {str(path)!r} holds no plain tensors: it is of another kind, or a whole "
            f"network, which could run any code.",
            hint="Save the state dict alone: torch.save(network.state_dict(), path).",
        ) from error
    except Exception as error:  # a foreign file makes its parser raise nearly anything
        raise ModelError(
            f"the file {str(path)!r} cannot be read as weights ({_why_unread(error)}).",
            hint="Save the state dict alone: torch.save(network.state_dict(), path).",
        ) from error
    return _state_in(held, path)


def published(network: str, name: str) -> StateDict:
    """Return the weights that torchvision publishes for a network, downloaded if need be.

    Raises ModelError that says which file to put where, if they cannot be had.
    """
    from torchvision.models import get_model_weights  # here: importing it takes long

    weights = get_model_weights(network)[name]
    file = PurePosixPath(urlparse(weights.url).path).name
    path = Path(torch.hub.get_dir(), "checkpoints", file)
    try:
        with redirect_stdout(sys.stderr):  # standard output is for what moat says
            held = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # of the network, the disk or the file's parser
        if path.exists():
            raise ModelError(
                f"the file {str(path)!r} cannot be read as weights ({_first_line(error)}).",
                hint=f"Delete it to download it again from {weights.url}.",
            ) from error
        raise MissingWeightsError(
            f"the weights {name!r} of {network!r} cannot be downloaded ({_first_line(error)}).",
            hint=f"Put the file {file} into {path.parent}; it comes from {weights.url}.\n"
            "Or set model.weights to a local file, or leave it out.",
        ) from error
    return _state_in(held, path)


def _state_in(held: Any, path: Path) -> StateDict:
    keys = [*held] if isinstance(held, dict) else []
    for _ in range(_NESTED):
        if (key := _key_of_state(held)) is None:
            break
        held = held[key]
    named = isinstance(held, dict) and bool(held)
    if not named or not all(
        isinstance(name, str) and (isinstance(value, Tensor) or name.endswith("_extra_state"))
        for name, value in held.items()
    ):
        found = f" Its keys: {_listed(keys)}." if keys else ""
        raise ModelError(
            f"the file {str(path)!r} holds no state dict: names with a tensor each.{found}",
            hint="Save the state dict alone: torch.save(network.state_dict(), path).",
        )
    prefix = wrapping(held)
    return {name.removeprefix(prefix): value for name, value in held.items()}


def _key_of_state(held: Any) -> str | None:
    """Return the key of a checkpoint's table that the state dict stands under, None of no such.

    It is one of the usual keys, else the only one with names and a tensor each.
    """
    if not isinstance(held, dict) or any(isinstance(value, Tensor) for value in held.values()):
        return None
    usual = [key for key in STATE_KEYS if isinstance(held.get(key), dict)]
    others = [
        key
        for key, value in held.items()
        if isinstance(key, str) and isinstance(value, dict) and value and _are_tensors(value)
    ]
    return usual[0] if usual else others[0] if len(others) == 1 else None


def _are_tensors(table: Mapping[Any, Any]) -> bool:
    return all(isinstance(k, str) and isinstance(v, Tensor) for k, v in table.items())


def _listed(keys: list[Any], most: int = 8) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(str(key)[:40] for key in keys[:most]) + more


STATE_KEYS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"),
    *("params", "module", "ema"),
)
"""Names of the state dict in the checkpoints of training scripts; the first that exists counts."""
_NESTED = 3


def wrapping(names: Iterable[str]) -> str:
    """Return what wrappers put before every one of these names, "" where they put nothing.

    Example:
        >>> wrapping(["_orig_mod.module.a", "_orig_mod.module.b"]), wrapping(["module.a", "b"])
        ('_orig_mod.module.', '')
    """
    names, found = list(names), ""
    while names and (p := next((p for p in _WRAPPERS if _all_begin(names, found + p)), "")):
        found += p
    return found


def _all_begin(names: list[str], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in names)


_WRAPPERS = ("module.", "_orig_mod.", "model.", "network.")
"""DataParallel's, compile's, Lightning's, and that of moat.models.torchvision."""


_OF_A_PARSER = (IndexError, KeyError, EOFError, AttributeError, TypeError, ValueError)
"""Errors of a parser that took other content for a format of weights."""


def _why_unread(error: Exception) -> str:
    if isinstance(error, _OF_A_PARSER):
        return "neither safetensors nor torch.save wrote it"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
