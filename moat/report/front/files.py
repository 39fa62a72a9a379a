"""Fronts as files: the table and the picture of each."""

from pathlib import Path

from moat.report.files import FileContents, write_groups
from moat.report.front.data import csv_text, json_text
from moat.report.front.figure import draw_front
from moat.report.front.front import Front, FrontReport
from moat.report.front.pairs import draw_pairs
from moat.report.style import render


def write_front(report: FrontReport, folder: Path) -> list[Path]:
    """Write each front's table and picture into a folder and return the paths.

    One group is called front, several front-1, front-2, ... Files that an earlier report wrote
    under these names and this one does not write are deleted: they would show runs that are gone.
    A file of the user's stays, and DiskError refuses to write over it.
    """
    return write_groups("front", folder, [_front_files(f, report.skipped) for f in report.fronts])


def _front_files(front: Front, skipped: list[str]) -> FileContents:
    figure = draw_front(front) if len(front.objectives) == 2 else draw_pairs(front)
    return {
        "csv": csv_text(front),
        "json": json_text(front, skipped),
        "png": render(figure, "png"),
        "svg": render(figure, "svg"),
    }
