"""The files of an analysis: record, arrays, table and pictures."""

from collections.abc import Sequence
from pathlib import Path

from moat.records import Analysis
from moat.report.figures.film import FILM_FORMATS, film_of
from moat.report.figures.kinds import draw_analysis
from moat.report.manifest import write_files
from moat.report.style import render
from moat.runs import analysis_files
from moat.sheets.csv import csv_of

FORMATS = ("png", "svg", "pdf")
_ENDINGS = ("json", "npz", "csv", *FORMATS, *FILM_FORMATS)


def write_analysis(
    analysis: Analysis,
    folder: Path,
    *,
    name: str = "",
    formats: Sequence[str] = FORMATS[:2],
) -> list[Path]:
    """Write an analysis as NAME.json, .npz, .csv and a picture in each format; return the paths.

    The name is the kind unless given. Files of the same name that an earlier call wrote are
    replaced or deleted; a user's own file stays, and DiskError refuses to write over it. Of an
    analysis with iterates, "apng" and "gif" are films.
    """
    stem = name or analysis.kind
    figure = draw_analysis(analysis)
    files: dict[str, str | bytes] = dict(analysis_files(analysis, stem))
    files[f"{stem}.csv"] = analysis_csv(analysis)
    for format in formats:
        film = format in FILM_FORMATS
        files[f"{stem}.{format}"] = film_of(analysis, format) if film else render(figure, format)
    return write_files(files, folder, [stem], _ENDINGS)


def analysis_csv(analysis: Analysis) -> str:
    """Return the tidy table of an analysis: a line for each number, with coordinates and unit."""
    rows = list(analysis.rows())
    axes = dict.fromkeys(axis for array in analysis.arrays.values() for axis in array.axes)
    used = [axis for axis in axes if any(axis in row for row in rows)]
    return csv_of(rows, ["quantity", *used, "value", "unit"])
