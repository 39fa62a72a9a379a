"""The run folders in a results folder."""

import os
from contextlib import suppress
from pathlib import Path

from moat.errors import RunFolderError
from moat.own_files import PLANNED
from moat.paths import files_below, require_path
from moat.printable import folder_key
from moat.runs.folder import RunFolder
from moat.runs.layout import BEGUN
from moat.runs.places import results_of
from moat.runs.study_folder import StudyFolder

CACHE = ".cache"
"""The folder in a results folder where decoded images are kept."""


def cache_of(run: Path, study: str) -> Path | None:
    """Return the cache of the results folder of a run of this study, None without one."""
    results = results_of(run.resolve(), study)
    return results and results / CACHE


def require_own_name(folder: Path) -> None:
    """Raise RunFolderError if another folder beside this one differs from it only by case."""
    with suppress(OSError):
        for other in sorted(folder.parent.iterdir()):
            if other.name != folder.name and folder_key(other.name) == folder_key(folder.name):
                raise RunFolderError(
                    f"{other.name!r} is here and differs from {folder.name!r} by case "
                    "alone: on other systems they are one folder.",
                    where=str(folder.parent),
                    hint="Give one of them another name, or name another folder with --results.",
                )


def unfinished_runs(results: Path) -> list[RunFolder]:
    """Return the folders of the runs below a folder that were begun and are not finished."""
    runs = _runs_with("recipe.toml", results)
    return [run for run in runs if not run.is_done]


def find_runs(results: Path) -> list[RunFolder]:
    """Return the folders of the finished runs anywhere below a folder, in order of their paths."""
    return _runs_with("run.json", results)


def _runs_with(name: str, results: Path) -> list[RunFolder]:
    """Return the folders with a file of this name, in order of the files' paths."""
    files = (path for path in files_below(require_path(results)) if path.name == name)
    return [RunFolder(path.parent) for path in sorted(files)]


def find_studies(results: Path) -> tuple[list[StudyFolder], list[RunFolder]]:
    """Return the planned studies at or below a folder, and runs begun outside of them.

    Each list is in order of paths. Runs, studies and folders whose names begin with a dot, which
    are moat's own, are not searched.
    """
    studies, runs = [], []
    for path, below, names in os.walk(require_path(results)):
        if inside := PLANNED in names:
            studies.append(StudyFolder(path))
        elif inside := not BEGUN.isdisjoint(names):
            runs.append(RunFolder(path))
        below[:] = [] if inside else sorted(name for name in below if not name.startswith("."))
    return studies, runs
