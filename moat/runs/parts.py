"""The finished parts of an unfinished evaluation, kept until it is complete."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from moat.errors import RunFolderError
from moat.paths import files_below
from moat.runs.arrays import load_arrays, save_arrays
from moat.storage import make_folder

PARTS = ".evaluation"
"""The folder in a run's own."""
_PART = re.compile(r"\d{5,}-.+\.npz|\.\d{5,}-.+\.npz\.(moat-)?\d+\.tmp")
"""A part, or what it is written to first; older moats called that without their name."""


class EvaluationParts:
    """The finished parts of an unfinished evaluation, a file for each threat and batch.

    Each file names its evaluation, batch and threat.
    """

    def __init__(self, path: Path, whose: str = "") -> None:
        self.path, self._whose = path, whose or path.name

    def load(self, batch: int, label: str) -> dict[str, NDArray[Any]] | None:
        """Return the kept results of a threat on a batch, None without any.

        None also for a damaged file or another part's: it is searched again.
        """
        path = self._of(batch, label)
        with suppress(RunFolderError):
            return load_arrays(path, whose=f"{self._whose}/{path.name}")
        return None

    def save(self, batch: int, label: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the results of a part."""
        make_folder(self.path)
        path = self._of(batch, label)
        save_arrays(path, arrays, compressed=False, whose=f"{self._whose}/{path.name}")

    def make(self) -> None:
        """Make the folder: while it exists, the evaluation has no record."""
        make_folder(self.path)

    def validation(self) -> "EvaluationParts":
        """Return the parts of the same evaluation's held-out examples."""
        return EvaluationParts(self.path / "validation", f"{self._whose}/validation")

    def _of(self, batch: int, label: str) -> Path:
        return self.path / f"{batch:05}-{label}.npz"


def clear_parts(folder: Path, but: Path | None = None) -> None:
    """Delete the parts of evaluations below a folder, except those of one; other files stay."""
    with suppress(OSError):  # what cannot be deleted harms nobody
        for path in files_below(folder):
            if _is_part(path) and not (but and path.is_relative_to(but)):
                path.unlink(missing_ok=True)
    for here, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it is not empty
            if but is None or not but.is_relative_to(here):
                os.rmdir(here)


def others_in(folder: Path) -> list[Path]:
    """Return the files below a folder of parts that are not parts."""
    return sorted(path for path in files_below(folder) if not _is_part(path))


def has_parts(folder: Path) -> bool:
    """Say whether an evaluation has made its folder below the given one."""
    with suppress(OSError):
        return any(path.is_dir() for path in folder.iterdir())
    return False


def _is_part(path: Path) -> bool:
    return bool(_PART.fullmatch(path.name))


def _arrays_below(folder: Path) -> Iterator[Path]:
    return (path for path in files_below(folder) if path.suffix == ".npz")


def part_times(folder: Path) -> list[float]:
    """Return when the files below a folder were written, in seconds, ascending."""
    times = []
    for path in _arrays_below(folder):
        with suppress(OSError):  # the evaluation may end at this moment
            times.append(path.stat().st_mtime)
    return sorted(times)


def newest_part(folder: Path) -> tuple[int, str] | None:
    """Return the batch and the threat of the newest file below a folder, None without files."""
    newest: tuple[int, int, str] | None = None
    for path in _arrays_below(folder):
        batch, _, label = path.stem.partition("-")
        with suppress(OSError, ValueError):  # the evaluation may end at this moment
            found = (path.stat().st_mtime_ns, int(batch), label)
            newest = max(newest or found, found)
    return newest and newest[1:]


def is_older(folder: Path, file: Path) -> bool:
    """Say whether an evaluation's folder exists, without a file newer than the given one.

    For an empty folder its own time counts, since its first file may not be written yet.
    """
    with suppress(OSError):
        written = file.stat().st_mtime_ns
        parts = [path.stat() for path in _arrays_below(folder)] or [folder.stat()]
        return has_parts(folder) and all(part.st_mtime_ns <= written for part in parts)
    return False
