"""The files of an analysis, NAME.json and NAME.npz, and the parts of an unfinished one."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.digests import digest_of_text
from moat.errors import RunFolderError
from moat.records import Analysis, AnalysisHeader, typed
from moat.runs.arrays import load_arrays, save_arrays
from moat.runs.formats import in_format
from moat.storage import hash_of, make_folder, read, read_json, to_json, unreadable
from moat.version import __version__

FORMAT = 1
ANALYSIS_PARTS = ".parts"
"""The folder in an analysis's own for its parts, until it is complete."""
_AGAIN = "Delete it, and run `moat analyze` again."


def analysis_files(analysis: Analysis, name: str) -> dict[str, bytes]:
    """Return the contents of NAME.json and NAME.npz; the same analysis gives the same bytes."""
    file = BytesIO()
    arrays: dict[str, Any] = {key: array.values for key, array in analysis.arrays.items()}
    np.savez_compressed(file, **arrays)
    content = file.getvalue()
    header = {"format": FORMAT, "moat": __version__, **analysis.header()}
    return {
        f"{name}.json": to_json({**header, "arrays_sha256": hash_of(content)}),
        f"{name}.npz": content,
    }


def read_analysis(path: Path) -> Analysis | None:
    """Return the analysis of a NAME.json and the NAME.npz beside it, None without the first.

    Raises RunFolderError for a newer format, a wrong key, and arrays that are missing, damaged or
    another record's.
    """
    table = read_json(path)
    if table is None:
        return None
    header = typed(AnalysisHeader, in_format(table, FORMAT, path), path, _AGAIN)
    beside = path.with_suffix(".npz")
    content = read(beside, beside.read_bytes)
    if content is None or hash_of(content) != header.arrays_sha256:
        why = "missing" if content is None else "not those of its record"
        raise RunFolderError(f"the arrays of the analysis are {why}.", str(beside), _AGAIN)
    values = load_arrays(beside) or {}
    try:
        return Analysis.of(header, values)
    except ValueError as error:
        raise unreadable(path, str(error)) from error


class AnalysisPartFiles:
    """The finished parts of an unfinished analysis, a file for each; see `analysis.AnalysisParts`.

    `fingerprint` identifies the analysis: a part of another one is not taken for its own.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = folder / ANALYSIS_PARTS / fingerprint

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays of a part, None without any, or of a damaged file."""
        path = self._of(key)
        with suppress(RunFolderError):
            return load_arrays(path, whose=f"{self.path.name}/{key}")
        return None

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the arrays of a part."""
        make_folder(self.path)
        save_arrays(self._of(key), arrays, compressed=False, whose=f"{self.path.name}/{key}")

    def clear(self) -> None:
        """Delete the parts of this analysis; those of others stay."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):  # another analysis is not finished
            self.path.parent.rmdir()

    def _of(self, key: str) -> Path:
        return self.path / f"{digest_of_text(key)}.npz"
