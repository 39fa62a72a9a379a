"""A run in progress: the writer of its folder, obstacles, unfinished parts, failures."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from moat.errors import RunFolderError
from moat.records import Clock, Failure, RunRecord
from moat.runs.code import require_no_linked_code
from moat.runs.holder import held, is_alive
from moat.runs.layout import BEGUN, LAYOUT, TENSORBOARD
from moat.runs.obstacles import obstacles_in, require_clear_way, set_aside
from moat.runs.parts import (
    PARTS,
    EvaluationParts,
    clear_parts,
    has_parts,
    is_older,
    newest_part,
    part_times,
)
from moat.runs.strangers import is_stranger, read_small, strangers_in
from moat.storage import (
    Record,
    disk,
    make_folder,
    replace,
    require_no_link,
    temporaries,
    to_json,
)


class RunWork:
    """A run's folder while the run is in progress; `RunFolder` has the results."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    # Its one writer.

    @contextmanager
    def locked(self, of: RunRecord | None = None) -> Iterator[None]:
        """Hold the folder as its only writer; raise BusyError with the present holder.

        `of` is the run's record, if it was read already. A writer tries the run again, so the
        record of an earlier failure is deleted. Raises RunFolderError, before any write, if a
        folder or a pipe is in the place of a file, a file in that of a folder, or a user's file in
        that of a file to be replaced.
        """
        with disk(self.path):
            require_clear_way(obstacles_in(self.path, LAYOUT))
        for name in (".lock", "log.jsonl", PARTS, TENSORBOARD):
            require_no_link(self.path / name)
        require_no_linked_code(self.path)
        require_clear_way(strangers_in(self.path, None if of is None else of.as_table()))
        with self._held():
            self.clear_failure()
            yield

    def require_free(self) -> None:
        """Raise BusyError with the holder if another process holds the folder; make no folder."""
        if (self.path / ".lock").is_file():
            with self._held():
                pass

    @contextmanager
    def _held(self) -> Iterator[None]:
        with held(self.path, self.path / ".lock", self._holder, LAYOUT.files):
            if is_older(self.path / PARTS, self.path / "run.json"):
                self.clear_parts()
            yield

    def tidy(self) -> None:
        """Delete the remains of a process that was killed here after its last write."""
        with suppress(RunFolderError, OSError):  # the writer says why
            if self._leftovers():
                with self._held():
                    pass

    def _leftovers(self) -> bool:
        temporary = temporaries(self.path, LAYOUT.files)
        parts = is_older(self.path / PARTS, self.path / "run.json")
        return bool(temporary) or parts or self._holder.exists()

    # What stands in its way.

    def obstacles(self) -> dict[Path, str]:
        """Return the obstacles in the places of the run's files and folders."""
        with disk(self.path):
            return obstacles_in(self.path, LAYOUT) | strangers_in(self.path)

    def make_way(self) -> list[str]:
        """Move the obstacles aside, under names beside their own; return them."""
        return set_aside(self.obstacles())

    @property
    def is_held(self) -> bool:
        """Whether a process holds the folder, by reading only; see `is_alive`."""
        return is_alive(self._holder)

    @property
    def is_begun(self) -> bool:
        """Whether a run was begun here, finished or failed ones included."""
        return any((self.path / name).exists() for name in BEGUN)

    @property
    def changed(self) -> int | None:
        """The time of the last change among the files here, in nanoseconds; None without a folder.

        A line added to the log is no such change.
        """
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return None

    @property
    def _holder(self) -> Path:
        return self.path / ".holder.json"

    # An evaluation that is not finished.

    def evaluation_parts(self, fingerprint: str) -> EvaluationParts:
        """Return the finished parts of the unfinished evaluation with this fingerprint."""
        parts = EvaluationParts(self.path / PARTS / fingerprint)
        require_no_link(parts.path)
        clear_parts(self.path / PARTS, but=parts.path)
        return parts

    def newest_part(self) -> tuple[int, str] | None:
        """Return the batch and the threat of the newest part of an unfinished evaluation."""
        return newest_part(self.path / PARTS)

    def part_times(self) -> list[float]:
        """Return the time of each part of an unfinished evaluation, in seconds, ascending."""
        return part_times(self.path / PARTS)

    @property
    def is_interrupted(self) -> bool:
        """Whether an evaluation was begun here whose record is not written."""
        return has_parts(self.path / PARTS)

    def clear_parts(self) -> None:
        """Delete the parts of a finished evaluation."""
        clear_parts(self.path / PARTS)

    # How long it took.

    def write_clock(self, took: Mapping[str, float | str]) -> None:
        """Write the seconds of some parts of the run, with their conditions; others stay."""
        replace(self.path / "clock.json", to_json({**self.read_clock(), **took}))

    def read_clock(self) -> Record:
        """Return the seconds of the run's parts, none if they cannot be read."""
        with suppress(RunFolderError):
            return read_small(Clock, self.path / "clock.json") or {}
        return {}

    # Why it failed.

    def write_failure(self, failure: Mapping[str, Any]) -> None:
        """Write the reason of the run's failure, unless a user's file has the name."""
        if is_stranger(self.path / "failed.json"):
            return
        make_folder(self.path)
        replace(self.path / "failed.json", to_json(failure))

    def read_failure(self) -> Record | None:
        """Return the reason of the run's failure, or None if it did not fail or is tried again."""
        return read_small(Failure, self.path / "failed.json")

    def clear_failure(self) -> None:
        """Delete the reason of the failure, since the run is tried again."""
        with disk(self.path):
            path = self.path / "failed.json"
            if path.is_file() and not is_stranger(path):  # else `locked` says what stands there
                path.unlink(missing_ok=True)
