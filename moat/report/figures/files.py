"""The files of analyses: written with their pictures, found and read again below results."""

import os
from collections.abc import Sequence
from pathlib import Path

from moat.errors import MoatError
from moat.records import Analysis
from moat.report.figures.kinds import draw_analysis
from moat.report.manifest import REPORT_MANIFEST, listed_files, write_files
from moat.report.points import error_text
from moat.report.style import render
from moat.runs import analysis_files, read_analysis
from moat.sheets.csv import csv_of

FORMATS = ("png", "svg", "pdf")
FILM_FORMATS = ("apng", "gif")
_ENDINGS = ("json", "npz", "csv", *FORMATS, *FILM_FORMATS)


def write_analysis(
    analysis: Analysis,
    folder: Path,
    *,
    name: str = "",
    formats: Sequence[str] = FORMATS[:2],
    films: dict[str, bytes] | None = None,
) -> list[Path]:
    """Write an analysis as NAME.json, .npz, .csv and a picture in each format; return the paths.

    The name is the kind unless given. Files of the same name that an earlier call wrote are
    replaced or deleted; a user's own file stays, and DiskError refuses to write over it. `films`
    are moving pictures by their ending.
    """
    stem = name or analysis.kind
    figure = draw_analysis(analysis)
    files: dict[str, str | bytes] = dict(analysis_files(analysis, stem))
    files[f"{stem}.csv"] = analysis_csv(analysis)
    files |= {f"{stem}.{format}": render(figure, format) for format in formats}
    files |= {f"{stem}.{ending}": content for ending, content in (films or {}).items()}
    return write_files(files, folder, [stem], _ENDINGS)


def analysis_csv(analysis: Analysis) -> str:
    """Return the tidy table of an analysis: a line a number, with its coordinates and unit."""
    rows = list(analysis.rows())
    axes = dict.fromkeys(axis for array in analysis.arrays.values() for axis in array.axes)
    used = [axis for axis in axes if any(axis in row for row in rows)]
    return csv_of(rows, ["quantity", *used, "value", "unit"])


def read_analyses(results: Path) -> tuple[dict[str, Analysis], list[str]]:
    """Return the analyses below a folder by place, and why others cannot be read.

    A place is the path of NAME.json relative to the folder, without its ending.
    """
    found: dict[str, Analysis] = {}
    skipped: list[str] = []
    for path in _paths(results):
        try:
            analysis = read_analysis(path)
        except MoatError as error:
            skipped.append(error_text(error))
            continue
        if analysis is not None:
            found[path.relative_to(results).with_suffix("").as_posix()] = analysis
    return found, skipped


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
