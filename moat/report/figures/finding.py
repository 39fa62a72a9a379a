"""The analyses below some results."""

import os
from contextlib import suppress
from pathlib import Path

from moat.errors import MoatError
from moat.own_files import RUN_FILES
from moat.records import Analysis
from moat.report.manifest import listed_files
from moat.report.points import error_text
from moat.runs import read_analysis
from moat.storage import read_json


def analyses_below(results: Path) -> dict[str, Analysis]:
    """Return the analyses below a folder by place; RunFolderError if one cannot be read.

    A place is the path of NAME.json relative to the folder, without its ending.
    """
    found = {_place(path, results): read_analysis(path) for path in _paths(results)}
    return {place: analysis for place, analysis in found.items() if analysis is not None}


def readable_analyses(results: Path) -> tuple[dict[str, Analysis], list[str]]:
    """Return the same, and of those that cannot be read the reasons."""
    found: dict[str, Analysis] = {}
    skipped: list[str] = []
    for path in _paths(results):
        try:
            analysis = read_analysis(path)
        except MoatError as error:
            skipped.append(error_text(error))
        else:
            found |= {} if analysis is None else {_place(path, results): analysis}
    return found, skipped


def _place(path: Path, results: Path) -> str:
    return path.relative_to(results).with_suffix("").as_posix()


def _paths(results: Path) -> list[Path]:
    """Return each NAME.json of an analysis below a folder; a user's own pair of files is none."""
    paths = []
    for place, below, names in os.walk(results):
        below[:] = sorted(name for name in below if not name.startswith("."))
        pairs = [name for name in sorted(names) if f"{name.removesuffix('.json')}.npz" in names]
        folder = Path(place)
        paths += [
            folder / name
            for name in pairs
            if name.endswith(".json") and name not in RUN_FILES and _is_record(folder / name)
        ]
    return paths


def _is_record(path: Path) -> bool:
    """Say whether a file is the record of an analysis: in a bundle, no manifest lists it."""
    with suppress(MoatError):
        return "arrays_sha256" in (read_json(path) or {})
    return path in listed_files(path.parent)
