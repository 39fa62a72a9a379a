"""The analyses below some results."""

import os
from pathlib import Path

from moat.errors import MoatError
from moat.records import Analysis
from moat.report.manifest import REPORT_MANIFEST, listed_files
from moat.report.points import error_text
from moat.runs import read_analysis


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
    """Return each NAME.json below a folder that moat wrote beside a NAME.npz."""
    paths = []
    for place, below, names in os.walk(results):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if REPORT_MANIFEST not in names:
            continue
        own = {path.name: path for path in listed_files(Path(place))}
        paths += [
            path
            for name, path in own.items()
            if name.endswith(".json") and f"{name.removesuffix('.json')}.npz" in names
        ]
    return paths
