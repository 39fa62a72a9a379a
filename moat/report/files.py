"""What is shown as files: a set of them a group, for fronts and for scoreboards."""

from pathlib import Path

from moat.report.front.data import csv_text, json_text
from moat.report.front.figure import draw_front
from moat.report.front.front import Front, FrontReport
from moat.report.front.pairs import draw_pairs
from moat.report.manifest import write_files
from moat.report.protocols.compared import ProtocolComparison
from moat.report.protocols.shown import against_csv, against_markdown
from moat.report.scores.markdown import markdown_of
from moat.report.scores.scoreboard import ScoreReport
from moat.report.scores.tidy import scores_csv
from moat.report.side_by_side import RunComparison
from moat.report.side_by_side.written import (
    comparison_csv,
    comparison_json,
    comparison_markdown,
    examples_csv,
)
from moat.report.style import render

_Files = dict[str, str | bytes]  # a file's ending -> its content


def write_front(report: FrontReport, folder: Path) -> list[Path]:
    """Write each front's table and picture into a folder and return the paths.

    One group is called front, several front-1, front-2, ... Files that an earlier report wrote
    under these names and this one does not write are deleted: they would show runs that are gone.
    A file of the user's stays, and DiskError refuses to write over it.
    """
    return _write_groups("front", folder, [_front_files(f, report.skipped) for f in report.fronts])


def write_report(report: ScoreReport, folder: Path) -> list[Path]:
    """Write each scoreboard as report.md and report.csv, numbered and deleted as fronts are.

    Every report.md names the runs that could not be read: their group is not known.
    """
    files: list[_Files] = [
        {"md": markdown_of(board, report.messages), "csv": scores_csv(board)}
        for board in report.boards
    ]
    return _write_groups("report", folder, files)


def write_against(comparison: ProtocolComparison, folder: Path) -> list[Path]:
    """Write a comparison of two protocols as against.md and against.csv; return the paths."""
    files: _Files = {"md": against_markdown(comparison), "csv": against_csv(comparison)}
    return _write_groups("against", folder, [files])


def write_comparison(comparison: RunComparison, folder: Path) -> list[Path]:
    """Write runs side by side as compare.md, .csv and .json, and compare-examples.csv.

    The last has what came of each example; where the scores are refused both CSV files are empty.
    """
    files: _Files = {
        "md": comparison_markdown(comparison),
        "csv": comparison_csv(comparison),
        "json": comparison_json(comparison),
    }
    examples: _Files = {"csv": examples_csv(comparison)}
    written = _write_groups("compare", folder, [files])
    return [*written, *_write_groups("compare-examples", folder, [examples])]


def _front_files(front: Front, skipped: list[str]) -> _Files:
    figure = draw_front(front) if len(front.objectives) == 2 else draw_pairs(front)
    return {
        "csv": csv_text(front),
        "json": json_text(front, skipped),
        "png": render(figure, "png"),
        "svg": render(figure, "svg"),
    }


def _write_groups(name: str, folder: Path, groups: list[_Files]) -> list[Path]:
    """Write the files of each group, by ending, and delete those that an earlier report wrote."""
    files: _Files = {}
    for number, group in enumerate(groups, 1):
        stem = f"{name}-{number}" if len(groups) > 1 else name
        files |= {f"{stem}.{ending}": content for ending, content in group.items()}
    return write_files(files, folder, [name], list(groups[0]))
