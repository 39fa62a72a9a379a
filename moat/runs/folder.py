"""The run folder: its layout, atomic writes, one writer at a time.

It reads and writes records, plain dicts and arrays, and is the only file with these names:

    recipe.toml  run.json  log.jsonl  checkpoint.pt
    model.safetensors  evaluation.npz  evaluation.json
    conditioned.safetensors                           the network for all preferences, where trained
    validation.npz  gallery.npz
    code/                                             the user's code that it was trained with
    tensorboard/                                      the log once more, where that was asked for
    clock.json                                        how long training and evaluation took
    failed.json                                       why it failed, until it is tried again
    .holder.json                                      its writer, while it is written
    .evaluation/<fingerprint>/<batch>-<threat>.npz    while it is evaluated

Every write replaces the file in one step, so a reader meets the old file or the new one; run.json
is written last, and its presence says that the run is done. It repeats the digests of the others,
which carry the run's training hash, so that none is taken for another run's. torch is imported by
the four methods that keep and read tensors, so that reading a run's results does without.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from numpy.typing import NDArray

from moat.kept_code import CODE
from moat.own_files import RUN_FILES
from moat.parsing import parse_toml, require_plain
from moat.records import EvaluationRecord, RunRecord, require_keys, typed
from moat.runs import log
from moat.runs.arrays import Arrays, load_arrays, save_arrays
from moat.runs.code import clear_code, code_files, others_in_code, untouched_code, write_code
from moat.runs.formats import in_format
from moat.runs.layout import EVENTS_MARK, TENSORBOARD
from moat.runs.model_file import load_weights, require_whole_weights, save_weights
from moat.runs.ownership import (
    EVALUATED,
    TRAINED,
    digests_of,
    own_table,
    record_beside,
    require_own,
)
from moat.runs.parts import PARTS
from moat.runs.run_work import RunWork
from moat.runs.verification import has_its_digest
from moat.storage import (
    Record,
    disk,
    make_folder,
    read,
    read_json,
    replace,
    to_json,
)

if TYPE_CHECKING:
    import torch

FORMAT = 1
WEIGHTS_FILES = ("model.safetensors", "conditioned.safetensors")


class RunFolder(RunWork):
    """The folder of one trained model. It is read and made on demand."""

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    # The recipe and the code of the training, written first.

    @property
    def recipe(self) -> Path:
        """The path of the run's own recipe."""
        return self.path / "recipe.toml"

    def write_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Keep the resolved recipe of this one run."""
        replace(self.path / "recipe.toml", tomli_w.dumps(recipe).encode())

    def read_recipe(self) -> Record | None:
        """Return the resolved recipe, or None without one."""
        path = self.path / "recipe.toml"
        return read(path, lambda: _document(path.read_text("utf-8")))

    @property
    def code(self) -> Path:
        """The folder of the run's code, with its modules below."""
        return self.path / CODE

    def write_code(self, files: Mapping[str, bytes]) -> list[str]:
        """Keep only the code of the training, each file by its place below `code`.

        A user's files stay; return those that were moved out of the way.
        """
        return write_code(self.path, files)

    def read_code(self, record: RunRecord | None = None) -> dict[str, bytes]:
        """Return the code that the run keeps, each file by its place below `code`.

        Raises ForeignFileError for a file that is not the record's.
        """
        found = {place: path.read_bytes() for place, path in code_files(self.path).items()}
        own = {} if record is None else record.as_table()
        for place, content in found.items():
            require_own(self.path / CODE / place, content, {}, own, f"{CODE}/{place}")
        return found

    # The log: a JSON line for each interval.

    def append_log(self, record: Mapping[str, Any]) -> None:
        """Add one line to the log."""
        log.append(self._log, record)

    def read_log(self) -> list[Record]:
        """Return the log's records, without a last line torn by a crash."""
        return log.records_of(self._log, self._beside)

    def newest_log(self) -> Iterator[Record]:
        """Yield the log's records backwards from the last, read on demand."""
        return log.newest_first(self._log)

    def log_extent(self) -> Record:
        """Return the extent of the log for a checkpoint, written to the disk."""
        return log.extent(self._log)

    def rewind_log(self, step: int, known: Mapping[str, Any] | None = None) -> None:
        """Discard the records after `step`, where training resumes from a checkpoint.

        `known` is the extent of the log at that checkpoint; RunFolderError if that much is not
        there. An older checkpoint has only the step.
        """
        if known is None:
            log.rewind(self._log, step)
        else:
            log.rewind_to(self._log, known)

    @property
    def _log(self) -> Path:
        return self.path / "log.jsonl"

    # The training state and the trained weights.

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep everything that a resumed run needs."""
        from moat.runs.checkpoint_file import save_checkpoint

        save_checkpoint(self.checkpoint, state)

    def load_checkpoint(self, device: "torch.device | str" = "cpu") -> Record | None:
        """Return the kept state, or None without one; RunFolderError if it is damaged."""
        from moat.runs.checkpoint_file import load_checkpoint

        return load_checkpoint(self.checkpoint, device)

    @property
    def checkpoint(self) -> Path:
        """The path of the checkpoint, for messages."""
        return self.path / "checkpoint.pt"

    def save_model(self, state: Mapping[str, Any], train_hash: str | None = None) -> None:
        """Keep the trained weights with the hash of their training."""
        save_weights(self.path / "model.safetensors", state, train_hash)

    def load_model(
        self, train_hash: str | None = None, *, of: RunRecord | None = None
    ) -> dict[str, Any] | None:
        """Return the trained weights, or None without any.

        Raises ForeignFileError if they are not this run's, by its record (`of`, if it is read
        already), or without one by the training hash.
        """
        beside = self._beside if of is None else of.as_table()
        expected = beside or ({"train_hash": train_hash} if train_hash else {})
        return load_weights(self.path / "model.safetensors", expected)

    def save_conditioned(self, state: Mapping[str, Any], train_hash: str) -> None:
        """Keep the weights of a network for all preferences; those of the run's own one follow."""
        save_weights(self.path / "conditioned.safetensors", state, train_hash)

    def load_conditioned(self, train_hash: str) -> dict[str, Any] | None:
        """Return the weights of the network for all preferences, or None without any.

        Raises ForeignFileError if another training made them.
        """
        expected = {**self._beside, "train_hash": train_hash}
        return load_weights(self.path / "conditioned.safetensors", expected)

    def require_whole_weights(self, record: RunRecord) -> None:
        """Raise RunFolderError if the trained weights are cut or another run's.

        Only the header of the file is read; the file may be absent.
        """
        require_whole_weights(self.path / "model.safetensors", record.as_table())

    def require_weights_of(self, train_hash: str) -> None:
        """Raise ForeignFileError if the trained weights are another training's, by their header."""
        require_whole_weights(self.path / "model.safetensors", {"train_hash": train_hash})

    def require_own_weights(self, record: RunRecord | None, train_hash: str | None = None) -> bool:
        """Say whether trained weights exist; ForeignFileError if they are another run's.

        Decided by their digest, if the record has it. Only weights with another digest are loaded,
        and refused with the reason.
        """
        if record is not None and has_its_digest(self.path / "model.safetensors", record.files):
            return True
        return self.load_model(train_hash) is not None

    @property
    def is_trained(self) -> bool:
        """Whether trained weights exist, which end the training."""
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
        """Keep the outcome matrix and, after it, its scores.

        The outcomes of held-out examples and a few images are kept before them; those of an earlier
        evaluation are deleted. The record must follow, and then `clear_parts`: until then these
        files may be newer than the record.
        """
        parts = {"validation.npz": validation, "gallery.npz": gallery, "evaluation.npz": arrays}
        for name, content in parts.items():
            if content is None:
                with disk(self.path):
                    (self.path / name).unlink(missing_ok=True)
            else:
                save_arrays(self.path / name, content)
        replace(self.path / "evaluation.json", to_json(scores))

    def replace_scores(self, scores: Record) -> None:
        """Replace the scores of an evaluation whose matrix stays; the record must follow."""
        make_folder(self.path / PARTS / "gate")  # so that an evaluation counts as interrupted
        replace(self.path / "evaluation.json", to_json(scores))

    def load_evaluation(
        self, *, without: Collection[str] = (), of: RunRecord | None = None
    ) -> tuple[dict[str, NDArray[Any]], EvaluationRecord] | None:
        """Return the outcome arrays and the record beside them, or None without them.

        `without` names arrays to leave in the file, which saves most of the reading time, as does
        `of`, the run's record if it was read already. Here and in the next two, ForeignFileError is
        raised for a file that is not this run's.
        """
        record = self._beside if of is None else of.as_table()
        path = self.path / "evaluation.json"
        table = read(path, lambda: own_table(path, path.read_bytes(), record))
        arrays = load_arrays(self.path / "evaluation.npz", without, record)
        if table is None or arrays is None:
            return None
        return arrays, typed(EvaluationRecord, table, path, _AGAIN)

    def read_scores(self, record: RunRecord) -> EvaluationRecord | None:
        """Return the scores beside a whole outcome matrix of this run, None if one is missing.

        The matrix is loaded only if its digest differs from the record's, and then refused with the
        reason.
        """
        path, matrix = self.path / "evaluation.json", self.path / "evaluation.npz"
        own = record.as_table()
        table = read(path, lambda: own_table(path, path.read_bytes(), own))
        whole = has_its_digest(matrix, record.files) or load_arrays(matrix, record=own) is not None
        return typed(EvaluationRecord, table, path, _AGAIN) if table and whole else None

    def load_validation(self) -> dict[str, NDArray[Any]] | None:
        """Return the outcomes of the examples held out from training, or None without any."""
        return load_arrays(self.path / "validation.npz", record=self._beside)

    def load_gallery(self) -> dict[str, NDArray[Any]] | None:
        """Return a few images and their versions under the threats, or None without any."""
        return load_arrays(self.path / "gallery.npz", record=self._beside)

    # The event files of TensorBoard.

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard's event files."""
        return self.path / TENSORBOARD

    def event_files(self) -> list[Path]:
        """Return moat's event files, by the mark at the end of their names."""
        return sorted(self.tensorboard.glob(f"events.out.tfevents.*{EVENTS_MARK}"))

    # The record that says the run is done.

    def write_record(self, record: RunRecord) -> None:
        """Keep the run's record: the last write of a run."""
        replace(self.path / "run.json", to_json({"format": FORMAT, **record.as_table()}))

    @property
    def is_done(self) -> bool:
        """Whether the run is done."""
        return (self.path / "run.json").exists()

    def read_record(self) -> RunRecord | None:
        """Return the record of a finished run, or None of an unfinished one.

        Raises RunFolderError for a newer format, and for a key that is missing or not of its type.
        """
        path = self.path / "run.json"
        table = read_json(path)
        if table is None:
            return None
        table = in_format(table, FORMAT, path)
        record = typed(RunRecord, table, path, _RECORD_AGAIN)
        require_keys(table, record.own_keys, path, _RECORD_AGAIN)
        return record

    def digests(self, before: Mapping[str, str] | None) -> dict[str, str]:
        """Return the digest of each file of the run, for its record.

        `before`, an earlier record, keeps its digests of the training's files: a new evaluation
        must not accept a file that was exchanged meanwhile.
        """
        before = before or {}
        trained = {name: before[name] for name in TRAINED if name in before}
        return {**trained, **self._code_digests(), **digests_of(self.path, EVALUATED)}

    def trained_digests(self) -> dict[str, str]:
        """Return the digest of each file of the training, for its record."""
        return {**digests_of(self.path, TRAINED), **self._code_digests()}

    def _code_digests(self) -> dict[str, str]:
        return digests_of(self.path, [f"{CODE}/{place}" for place in code_files(self.path)])

    @property
    def _beside(self) -> Record:
        return record_beside(self.path / "run.json")

    def written(self) -> list[str]:
        """Return the names of a run's files that `clear` would delete."""
        held = {TENSORBOARD: self.event_files(), CODE: untouched_code(self.path)}
        names = [name for name in (*RUN_FILES, PARTS) if (self.path / name).exists()]
        return names + [name for name, files in held.items() if files]

    def others(self) -> list[str]:
        """Return the places of a user's files in moat's folders here, which `clear` leaves."""
        own = self.event_files()
        drawn = sorted(path for path in self.tensorboard.rglob("*") if not path.is_dir())
        there = [path.relative_to(self.path).as_posix() for path in drawn if path not in own]
        return [*there, *others_in_code(self.path)]

    def carried(self, *, weights: bool = False) -> list[Path]:
        """Return the files that a reader of the run needs, with the trained weights on request.

        Without the checkpoint, an unfinished evaluation, and files that are not the run's.
        """
        left_out = {"checkpoint.pt", *([] if weights else WEIGHTS_FILES)}
        named = [self.path / name for name in RUN_FILES if name not in left_out]
        files = [*named, *code_files(self.path).values()]
        return sorted(path for path in files if path.is_file() or path.is_symlink())

    def clear(self) -> None:
        """Delete everything a run wrote here; other files stay."""
        with disk(self.path):
            for name in RUN_FILES:
                (self.path / name).unlink(missing_ok=True)
            self.clear_parts()
            clear_code(self.path)
            for path in self.event_files():
                path.unlink(missing_ok=True)
            with suppress(OSError):  # what else lies there is the user's
                self.tensorboard.rmdir()


def _document(text: str) -> Record:
    document = parse_toml(text)
    require_plain(document, dates=True, infinite=True)  # refused where they are taken
    return document


_RECORD_AGAIN = "Put the key back, or a copy of the file; `moat train --overwrite` trains it again."
_AGAIN = "`moat evaluate` with this folder makes it anew; `moat train --overwrite` trains it again."
