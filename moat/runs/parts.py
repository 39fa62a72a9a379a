"""What an unfinished evaluation has found, kept until the whole is there."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.errors import RunFolderError
from moat.storage import make_folder, read, replace


class EvaluationParts:
    """What an unfinished evaluation has found, a file for each threat and batch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, batch: int, label: str) -> dict[str, NDArray[Any]] | None:
        """Return what was kept of a threat on a batch; None of nothing, or of a broken file."""
        path = self._of(batch, label)
        with suppress(RunFolderError):
            return read(path, lambda: arrays_of(path.read_bytes()))
        return None

    def save(self, batch: int, label: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep what was found."""
        savez: Callable[..., None] = np.savez
        make_folder(self.path)
        replace(self._of(batch, label), lambda file: savez(file, **arrays))

    def validation(self) -> "EvaluationParts":
        """Return those of the same evaluation's held-out examples."""
        return EvaluationParts(self.path / "validation")

    def _of(self, batch: int, label: str) -> Path:
        return self.path / f"{batch:05}-{label}.npz"


def newest_part(folder: Path) -> tuple[int, str] | None:
    """Return the batch and the threat of the file last written below a folder, None of no file."""
    newest: tuple[int, int, str] | None = None
    for path in folder.glob("*/*.npz"):
        batch, _, label = path.stem.partition("-")
        with suppress(OSError, ValueError):  # the evaluation may end at this moment
            found = (path.stat().st_mtime_ns, int(batch), label)
            newest = max(newest or found, found)
    return newest and newest[1:]


def arrays_of(content: bytes, without: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file; raise what numpy raises of a broken one."""
    # From bytes: numpy leaves a file open that turns out to be broken.
    with np.load(BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if name not in without}
