"""A run at work: the writer of its folder, obstacles, unfinished parts, failures."""

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
    """A run's folder while the run is made: `RunFolder` has what comes of it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    # Its one writer.

    @contextmanager
    def locked(self, of: RunRecord | None = None) -> Iterator[None]:
        """Hold the folder as its one writer; raise BusyError that says who else does.

        `of` is the run's record, where it is read already. Whoever writes tries the run again, so
        why it failed before is forgotten. Raises RunFolderError, before anything is written, where
        a folder or a pipe stands in the place of a file, a file in that of a folder, or a user's
        file in that of one that is replaced.
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
        """Raise BusyError that says who else holds the folder; nothing is made where none is."""
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
        """Delete what a process left behind that was killed here after its last write."""
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
        """Return what stands where a file or a folder of the run belongs, and cannot be one."""
        with disk(self.path):
            return obstacles_in(self.path, LAYOUT) | strangers_in(self.path)

    def make_way(self) -> list[str]:
        """Move what stands in the way aside, under a name beside its own; return what was moved."""
        return set_aside(self.obstacles())

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

    # An evaluation that is not finished.

    def evaluation_parts(self, fingerprint: str) -> EvaluationParts:
        """Return what was kept of an evaluation that is not finished, of this fingerprint alone."""
        parts = EvaluationParts(self.path / PARTS / fingerprint)
        require_no_link(parts.path)
        clear_parts(self.path / PARTS, but=parts.path)
        return parts

    def newest_part(self) -> tuple[int, str] | None:
        """Return the batch and the threat that an unfinished evaluation has found last."""
        return newest_part(self.path / PARTS)

    def part_times(self) -> list[float]:
        """Return when each part of an unfinished evaluation was found, in seconds, ascending."""
        return part_times(self.path / PARTS)

    @property
    def is_interrupted(self) -> bool:
        """Whether an evaluation was begun here whose record is not written."""
        return has_parts(self.path / PARTS)

    def clear_parts(self) -> None:
        """Delete what was kept of an evaluation that is finished."""
        clear_parts(self.path / PARTS)

    # How long it took.

    def write_clock(self, took: Mapping[str, float | str]) -> None:
        """Keep the seconds that parts of the run took, and under what, beside those of others."""
        replace(self.path / "clock.json", to_json({**self.read_clock(), **took}))

    def read_clock(self) -> Record:
        """Return the seconds that parts of the run took; none where nothing can be read."""
        with suppress(RunFolderError):
            return read_small(Clock, self.path / "clock.json") or {}
        return {}

    # Why it failed.

    def write_failure(self, failure: Mapping[str, Any]) -> None:
        """Keep why the run failed, unless a user's file stands there."""
        if is_stranger(self.path / "failed.json"):
            return
        make_folder(self.path)
        replace(self.path / "failed.json", to_json(failure))

    def read_failure(self) -> Record | None:
        """Return why the run failed, or None where it did not, or is tried again."""
        return read_small(Failure, self.path / "failed.json")

    def clear_failure(self) -> None:
        """Forget why it failed: it is tried again."""
        with disk(self.path):
            path = self.path / "failed.json"
            if path.is_file() and not is_stranger(path):  # else `locked` says what stands there
                path.unlink(missing_ok=True)
