"""Tables as files, one set for each group, for scoreboards and for comparisons."""

from pathlib import Path

from moat.own_files import TABLES
from moat.report.manifest import write_files
from moat.report.protocols.comparison import ProtocolComparison
from moat.report.protocols.sheets import against_csv, against_markdown
from moat.report.scores.rows import scores_csv
from moat.report.scores.scoreboard import ScoreReport
from moat.report.scores.sheets import board_markdown
from moat.report.side_by_side import RunComparison
from moat.report.side_by_side.files import (
    comparison_csv,
    comparison_json,
    examples_csv,
)
from moat.report.side_by_side.parts import comparison_markdown

FileContents = dict[str, str | bytes]
"""The content of each file, by its ending."""


def write_report(report: ScoreReport, folder: Path) -> list[Path]:
    """Write each scoreboard as report.md and report.csv, numbered and deleted as fronts are.

    Every report.md names the runs that could not be read: their group is not known.
    """
    files: list[FileContents] = [
        {"md": board_markdown(board, report.messages), "csv": scores_csv(board)}
        for board in report.boards
    ]
    return write_groups("report", folder, files)


def write_against(comparison: ProtocolComparison, folder: Path) -> list[Path]:
    """Write a comparison of two protocols as against.md and against.csv; return the paths."""
    files: FileContents = {"md": against_markdown(comparison), "csv": against_csv(comparison)}
    return write_groups("against", folder, [files])


def write_comparison(comparison: RunComparison, folder: Path) -> list[Path]:
    """Write runs side by side as compare.md, .csv and .json, and compare-examples.csv.

    The last has what came of each example; where the scores are refused both CSV files are empty.
    """
    files: FileContents = {
        "md": comparison_markdown(comparison),
        "csv": comparison_csv(comparison),
        "json": comparison_json(comparison),
    }
    examples: FileContents = {"csv": examples_csv(comparison)}
    written = write_groups("compare", folder, [files])
    return [*written, *write_groups("compare-examples", folder, [examples])]


def write_groups(name: str, folder: Path, groups: list[FileContents]) -> list[Path]:
    """Write the files of each group, by ending, and delete those that an earlier report wrote."""
    files: FileContents = {}
    for number, group in enumerate(groups, 1):
        stem = f"{name}-{number}" if len(groups) > 1 else name
        files |= {f"{stem}.{ending}": content for ending, content in group.items()}
    return write_files(files, folder, [name], TABLES[name])
