"""The run folder: its layout, atomic writes, one writer at a time.

Deals in plain dicts and arrays, and is the only file that knows file names:

    recipe.toml  run.json  log.jsonl  checkpoint.pt
    model.safetensors  evaluation.npz  evaluation.json

Every write replaces the file in one step, so a reader meets the old file or the new one; run.json
is written last, and its presence says that the run is done.
"""

import errno
import json
import os
import socket
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import tomli_w
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from moat.errors import BusyError, DiskError, RunFolderError

FORMAT = 1
Record = dict[str, Any]
T = TypeVar("T")


class RunFolder:
    """One trained model and what is known of it. Nothing is read or made before it is asked for."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder as its one writer; raise BusyError that says who else does."""
        make_folder(self.path)
        holder = self.path / ".holder.json"
        lock = FileLock(self.path / ".lock")
        try:
            with disk(self.path):
                lock.acquire(blocking=False)
        except Timeout:
            who: Record = {}
            with suppress(OSError, ValueError):  # it may be let go of at this moment
                who = _table(json.loads(holder.read_text("utf-8")))
            raise BusyError(
                f"another process is writing this run: process {who.get('pid', 'unknown')} on "
                f"{who.get('host', 'unknown')}.",
                where=str(self.path),
                hint="Wait for it, or stop it; the run goes on where it was.",
            ) from None
        try:
            me = {"pid": os.getpid(), "host": socket.gethostname()}
            _replace(holder, json.dumps(me).encode())
            yield
        finally:
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()

    # What trains it, written first.

    @property
    def recipe(self) -> Path:
        """Where the run's own recipe lies."""
        return self.path / "recipe.toml"

    def write_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Keep the resolved recipe of this one run."""
        _replace(self.path / "recipe.toml", tomli_w.dumps(recipe).encode())

    def read_recipe(self) -> Record | None:
        """Return the resolved recipe, or None where there is none yet."""
        path = self.path / "recipe.toml"
        return _read(path, lambda: tomllib.loads(path.read_text("utf-8")))

    # The log: a JSON line an interval.

    def append_log(self, record: Mapping[str, Any]) -> None:
        """Add one line to the log."""
        with disk(self.path), (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def read_log(self) -> list[Record]:
        """Return the log's records; a last line torn by a crash is left out."""
        path = self.path / "log.jsonl"
        lines = (_read(path, lambda: path.read_text("utf-8")) or "").splitlines()
        records = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(_table(json.loads(line)))
            except ValueError as error:
                if number < len(lines):
                    raise _unreadable(path, f"line {number}: {error}") from error
        return records

    def rewind_log(self, step: int) -> None:
        """Forget the records of later steps: training goes on from a checkpoint at `step`."""
        kept = [record for record in self.read_log() if record.get("step", 0) <= step]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        _replace(self.path / "log.jsonl", text.encode())

    # The training state and the trained weights.

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep all that a resumed run needs."""
        _replace(self.path / "checkpoint.pt", lambda file: torch.save(dict(state), file))

    def load_checkpoint(self, device: torch.device | str = "cpu") -> Record | None:
        """Return the kept state, or None where there is none."""
        path = self.path / "checkpoint.pt"
        return _read(path, lambda: _table(torch.load(path, map_location=device, weights_only=True)))

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint lies, for messages."""
        return self.path / "checkpoint.pt"

    def save_model(self, state: Mapping[str, torch.Tensor]) -> None:
        """Keep the trained weights."""
        tensors = {  # copies: safetensors refuses weights that two layers share
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in state.items()
        }
        _replace(self.path / "model.safetensors", save_tensors(tensors))

    def load_model(self) -> dict[str, torch.Tensor] | None:
        """Return the trained weights, or None where there are none yet."""
        path = self.path / "model.safetensors"
        return _read(path, lambda: load_tensors(path.read_bytes()))

    # The evaluation.

    def save_evaluation(self, arrays: Mapping[str, NDArray[Any]], scores: Record) -> None:
        """Keep the outcome matrix and, after it, the scores made of it."""
        if any(array.dtype.hasobject for array in arrays.values()):
            raise ValueError("Object arrays cannot be saved")  # they would be pickled
        savez: Callable[..., None] = np.savez_compressed
        _replace(self.path / "evaluation.npz", lambda file: savez(file, **arrays))
        _replace(self.path / "evaluation.json", _json(scores))

    def load_evaluation(self) -> tuple[dict[str, NDArray[Any]], Record] | None:
        """Return the outcome arrays and the scores, or None where there are none yet."""
        scores = _read_json(self.path / "evaluation.json")
        path = self.path / "evaluation.npz"
        arrays = _read(path, lambda: _arrays(path.read_bytes()))
        return None if scores is None or arrays is None else (arrays, scores)

    # The record that says the run is done.

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Keep the run's record: the last write of a run."""
        _replace(self.path / "run.json", _json({"format": FORMAT, **record}))

    def read_record(self) -> Record | None:
        """Return the record of a finished run, or None where it is not finished."""
        record = _read_json(self.path / "run.json")
        if record is not None and record.get("format") != FORMAT:
            raise _unreadable(self.path / "run.json", f"its format is not {FORMAT}")
        return record

    def clear(self) -> None:
        """Delete everything a run wrote here; other files stay."""
        with disk(self.path):
            for name in _WRITTEN:
                (self.path / name).unlink(missing_ok=True)


_WRITTEN = (
    *("run.json", "evaluation.json", "evaluation.npz", "model.safetensors"),
    *("checkpoint.pt", "log.jsonl", "recipe.toml"),
)


def find_runs(results: Path) -> list[RunFolder]:
    """Return the folders of the finished runs anywhere below a folder, in order of their paths."""
    return [RunFolder(path.parent) for path in sorted(results.rglob("run.json"))]


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raise DiskError where that is refused."""
    with disk(path):
        path.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step, its folder made if need be."""
    make_folder(path.parent)
    _replace(path, text.encode())


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into a DiskError that names the place and the mend."""
    try:
        yield
    except OSError as error:
        if isinstance(error, Timeout):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = (
            "Free some space, then run the same command again: nothing written before is lost."
            if full
            else "Name a folder you may write to with --results."
        )
        why = "the disk is full" if full else (error.strerror or str(error))
        raise DiskError(f"cannot write: {why}.", where=str(path), hint=hint) from error


def _replace(path: Path, content: bytes | Callable[[IO[bytes]], Any]) -> None:
    """Write beside the file, flush to the disk, then put it in the file's place in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk(path):
        try:
            with temporary.open("wb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    content(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _read_json(path: Path) -> Record | None:
    return _read(path, lambda: _table(json.loads(path.read_text("utf-8"))))


def _read(path: Path, parse: Callable[[], T]) -> T | None:
    try:
        return parse() if path.exists() else None
    except Exception as error:  # a foreign file makes its parser raise nearly anything
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    # From bytes: numpy leaves a file open that turns out to be broken.
    with np.load(BytesIO(content), allow_pickle=False) as stored:
        return dict(stored)


def _table(value: Any) -> Record:
    if not isinstance(value, dict):
        raise ValueError("it is no table")
    return value


def _unreadable(path: Path, why: str) -> RunFolderError:
    reason = (why.splitlines() or [why])[0]
    return RunFolderError(
        f"the file is truncated or not moat's ({reason}).",
        where=str(path),
        hint="Delete it, or train this run again with --overwrite.",
    )
