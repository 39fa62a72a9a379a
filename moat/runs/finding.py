"""Where run folders lie in a results folder."""

from pathlib import Path

from moat.runs.folder import RunFolder

CACHE = ".cache"
"""The folder in a results folder where decoded images are kept."""


def cache_of(run: Path, study: str) -> Path | None:
    """Return the cache of the results folder that a run of this study lies in, None in no such."""
    for folder in run.resolve().parents:
        if folder.name == study:
            return folder.parent / CACHE
    return None


def unfinished_runs(results: Path) -> list[RunFolder]:
    """Return the folders of the runs below a folder that were begun and are not finished."""
    begun = (path.parent for path in sorted(results.rglob("recipe.toml")))
    return [RunFolder(run) for run in begun if not (run / "run.json").exists()]


def find_runs(results: Path) -> list[RunFolder]:
    """Return the folders of the finished runs anywhere below a folder, in order of their paths."""
    return [RunFolder(path.parent) for path in sorted(results.rglob("run.json"))]
