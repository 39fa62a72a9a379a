"""The run folder: its layout, atomic writes, one writer at a time.

Deals in plain dicts and arrays, and is the only file that knows these names:

    recipe.toml  run.json  log.jsonl  checkpoint.pt
    model.safetensors  evaluation.npz  evaluation.json
    validation.npz  gallery.npz
    tensorboard/                                      the log once more, where that was asked for
    clock.json                                        how long training and evaluation took
    failed.json                                       why it failed, until it is tried again
    .holder.json                                      who writes the folder, while it is written
    .evaluation/<fingerprint>/<batch>-<threat>.npz    while it is evaluated

Every write replaces the file in one step, so a reader meets the old file or the new one; run.json
is written last, and its presence says that the run is done.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import tomli_w
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from moat.errors import RunFolderError
from moat.runs import log
from moat.runs.arrays import Arrays, load_arrays, save_arrays
from moat.runs.holder import held, is_alive
from moat.runs.parts import EvaluationParts, newest_part, part_times
from moat.storage import (
    Record,
    as_table,
    disk,
    make_folder,
    read,
    read_json,
    replace,
    to_json,
    unreadable,
)

FORMAT = 1
BEGUN = frozenset({"run.json", "log.jsonl", ".holder.json", "failed.json"})
"""Files of which a run that was begun has one at least."""
_PARTS = ".evaluation"


class RunFolder:
    """One trained model and what is known of it. Nothing is read or made before it is asked for."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    # Its one writer.

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder as its one writer; raise BusyError that says who else does.

        Whoever writes tries the run again, so why it failed before is forgotten.
        """
        with held(self.path, self.path / ".lock", self._holder):
            self.clear_failure()
            yield

    @property
    def is_held(self) -> bool:
        """Whether a process is at work on the folder, by reading alone: see `is_alive`."""
        return is_alive(self._holder)

    @property
    def is_begun(self) -> bool:
        """Whether a process has begun a run here, or finished or failed to."""
        return any((self.path / name).exists() for name in BEGUN)

    @property
    def changed(self) -> int | None:
        """When a file came, went or was replaced here, in nanoseconds; None of no folder.

        A line added to the log is no such change.
        """
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return None

    @property
    def _holder(self) -> Path:
        return self.path / ".holder.json"

    # What trains it, written first.

    @property
    def recipe(self) -> Path:
        """Where the run's own recipe lies."""
        return self.path / "recipe.toml"

    def write_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Keep the resolved recipe of this one run."""
        replace(self.path / "recipe.toml", tomli_w.dumps(recipe).encode())

    def read_recipe(self) -> Record | None:
        """Return the resolved recipe, or None where there is none yet."""
        path = self.path / "recipe.toml"
        return read(path, lambda: tomllib.loads(path.read_text("utf-8")))

    # The log: a JSON line an interval.

    def append_log(self, record: Mapping[str, Any]) -> None:
        """Add one line to the log."""
        log.append(self._log, record)

    def read_log(self) -> list[Record]:
        """Return the log's records; a last line torn by a crash is left out."""
        return log.records_of(self._log)

    def newest_log(self) -> Iterator[Record]:
        """Yield the log's records from the last backwards, reading no more than is asked for."""
        return log.newest_first(self._log)

    def rewind_log(self, step: int) -> None:
        """Forget the records of later steps: training goes on from a checkpoint at `step`."""
        log.rewind(self._log, step)

    @property
    def _log(self) -> Path:
        return self.path / "log.jsonl"

    # The training state and the trained weights.

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep all that a resumed run needs."""
        replace(self.path / "checkpoint.pt", lambda file: torch.save(dict(state), file))

    def load_checkpoint(self, device: torch.device | str = "cpu") -> Record | None:
        """Return the kept state, or None where there is none."""
        path = self.path / "checkpoint.pt"
        return read(
            path, lambda: as_table(torch.load(path, map_location=device, weights_only=True))
        )

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
        replace(self.path / "model.safetensors", save_tensors(tensors))

    def load_model(self) -> dict[str, torch.Tensor] | None:
        """Return the trained weights, or None where there are none yet."""
        path = self.path / "model.safetensors"
        return read(path, lambda: load_tensors(path.read_bytes()))

    @property
    def is_trained(self) -> bool:
        """Whether there are trained weights, which end the training."""
        return (self.path / "model.safetensors").exists()

    # The evaluation.

    def save_evaluation(
        self,
        arrays: Arrays,
        scores: Record,
        *,
        validation: Arrays | None = None,
        gallery: Arrays | None = None,
    ) -> None:
        """Keep the outcome matrix and, after it, the scores made of it.

        Before them what belongs to the same evaluation: the outcomes of the examples held out from
        training, and a few images; what an earlier evaluation left of these is deleted.
        """
        parts = {"validation.npz": validation, "gallery.npz": gallery, "evaluation.npz": arrays}
        for name, content in parts.items():
            if content is None:
                with disk(self.path):
                    (self.path / name).unlink(missing_ok=True)
            else:
                save_arrays(self.path / name, content)
        replace(self.path / "evaluation.json", to_json(scores))
        rmtree(self.path / _PARTS, ignore_errors=True)

    def load_evaluation(
        self, *, without: Collection[str] = ()
    ) -> tuple[dict[str, NDArray[Any]], Record] | None:
        """Return the outcome arrays and the scores, or None where there are none yet.

        Arrays that are named are left in the file, which saves most of the time of reading it.
        """
        scores = read_json(self.path / "evaluation.json")
        arrays = load_arrays(self.path / "evaluation.npz", without)
        return None if scores is None or arrays is None else (arrays, scores)

    def load_validation(self) -> dict[str, NDArray[Any]] | None:
        """Return the outcomes of the examples held out from training, or None without any."""
        return load_arrays(self.path / "validation.npz")

    def load_gallery(self) -> dict[str, NDArray[Any]] | None:
        """Return a few images and what the threats made of them, or None without any."""
        return load_arrays(self.path / "gallery.npz")

    def evaluation_parts(self, fingerprint: str) -> EvaluationParts:
        """Return what was kept of an evaluation that is not finished, of this fingerprint alone."""
        parts = EvaluationParts(self.path / _PARTS / fingerprint)
        for other in (self.path / _PARTS).glob("*"):
            if other != parts.path:
                rmtree(other, ignore_errors=True)
        return parts

    def newest_part(self) -> tuple[int, str] | None:
        """Return the batch and the threat that an unfinished evaluation has found last."""
        return newest_part(self.path / _PARTS)

    def part_times(self) -> list[float]:
        """Return when each part of an unfinished evaluation was found, in seconds, ascending."""
        return part_times(self.path / _PARTS)

    # What TensorBoard shows.

    @property
    def tensorboard(self) -> Path:
        """Where TensorBoard's event files lie."""
        return self.path / "tensorboard"

    # How long it took.

    def write_clock(self, took: Mapping[str, float | str]) -> None:
        """Keep the seconds that parts of the run took, and under what, beside those of others."""
        replace(self.path / "clock.json", to_json({**self.read_clock(), **took}))

    def read_clock(self) -> Record:
        """Return the seconds that parts of the run took; none where nothing can be read."""
        with suppress(RunFolderError):
            return read_json(self.path / "clock.json") or {}
        return {}

    # Why it failed.

    def write_failure(self, failure: Mapping[str, Any]) -> None:
        """Keep why the run failed."""
        make_folder(self.path)
        replace(self.path / "failed.json", to_json(failure))

    def read_failure(self) -> Record | None:
        """Return why the run failed, or None where it did not, or is tried again."""
        return read_json(self.path / "failed.json")

    def clear_failure(self) -> None:
        """Forget why it failed: it is tried again."""
        with disk(self.path):
            (self.path / "failed.json").unlink(missing_ok=True)

    # The record that says the run is done.

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Keep the run's record: the last write of a run."""
        replace(self.path / "run.json", to_json({"format": FORMAT, **record}))

    @property
    def is_done(self) -> bool:
        """Whether the run is done."""
        return (self.path / "run.json").exists()

    def read_record(self) -> Record | None:
        """Return the record of a finished run, or None where it is not finished."""
        record = read_json(self.path / "run.json")
        if record is not None and record.get("format") != FORMAT:
            raise unreadable(self.path / "run.json", f"its format is not {FORMAT}")
        return record

    def clear(self) -> None:
        """Delete everything a run wrote here; other files stay."""
        with disk(self.path):
            for name in _WRITTEN:
                (self.path / name).unlink(missing_ok=True)
            for folder in (self.path / _PARTS, self.tensorboard):
                rmtree(folder, ignore_errors=True)


_WRITTEN = (
    *("run.json", "evaluation.json", "evaluation.npz", "validation.npz", "gallery.npz"),
    *("model.safetensors", "checkpoint.pt", "log.jsonl", "recipe.toml", "failed.json"),
    "clock.json",
)
