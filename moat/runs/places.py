"""The place of a run: its results folder, and paths relative to a folder."""

import os
from pathlib import Path


def results_of(run: Path, study: str) -> Path | None:
    """Return the results folder of a run of this study, None without one."""
    above = (*run.parents, *run.resolve().parents)
    return next((folder.parent for folder in above if folder.name == study), None)


def seen_from(path: Path | str, folder: Path) -> str:
    """Return a path relative to a folder; unchanged if that is impossible, as on another drive.

    Example:
        >>> seen_from("/data/mnist", Path("/results/study"))
        '../../data/mnist'
    """
    try:
        return Path(os.path.relpath(Path(path).resolve(), folder.resolve())).as_posix()
    except (OSError, RuntimeError, ValueError):
        return str(path)
