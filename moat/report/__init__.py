"""The views of a study: run folders in, tables, files and pictures out. Trains nothing.

The names are handed out when first asked for: a table needs no matplotlib.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if os.environ.get("MPLBACKEND"):
    from moat.report import matplotlib_import  # noqa: F401 - before anything that draws

if TYPE_CHECKING:
    from moat.report.evidence import outcomes_of
    from moat.report.files import write_against, write_comparison, write_report
    from moat.report.front.figure import draw_front
    from moat.report.front.files import write_front
    from moat.report.front.front import Front, FrontReport, make_fronts
    from moat.report.front.objectives import Objective
    from moat.report.front.pairs import draw_pairs
    from moat.report.front.table import difference_table, front_table, interval_table
    from moat.report.gate import failed_checks
    from moat.report.one_run.csv import runs_csv
    from moat.report.one_run.scores import RunScores, score_runs
    from moat.report.one_run.table import run_sheet, run_table, run_tables
    from moat.report.plots import KINDS, Plots, make_plots, write_plots
    from moat.report.points import Point, read_point, read_points
    from moat.report.protocols.comparison import ProtocolComparison, compare_protocols
    from moat.report.protocols.sheets import against_table
    from moat.report.rows import Row
    from moat.report.scores.scoreboard import Scoreboard, ScoreReport, make_scoreboards
    from moat.report.scores.sheets import score_table
    from moat.report.side_by_side import RunComparison, compare_runs
    from moat.report.side_by_side.files import comparison_table
    from moat.report.side_by_side.parts import comparison_shown
    from moat.report.status.study_status import StatusReader, StudyStatus
    from moat.report.status.table import change_lines, status_table

_HOMES = {
    "Front": "front.front",
    "FrontReport": "front.front",
    "KINDS": "plots",
    "Objective": "front.objectives",
    "Plots": "plots",
    "Point": "points",
    "ProtocolComparison": "protocols.comparison",
    "Row": "rows",
    "RunComparison": "side_by_side",
    "RunScores": "one_run.scores",
    "ScoreReport": "scores.scoreboard",
    "Scoreboard": "scores.scoreboard",
    "StatusReader": "status.study_status",
    "StudyStatus": "status.study_status",
    "against_table": "protocols.sheets",
    "change_lines": "status.table",
    "compare_protocols": "protocols.comparison",
    "compare_runs": "side_by_side",
    "comparison_shown": "side_by_side.parts",
    "comparison_table": "side_by_side.files",
    "difference_table": "front.table",
    "draw_front": "front.figure",
    "draw_pairs": "front.pairs",
    "failed_checks": "gate",
    "front_table": "front.table",
    "interval_table": "front.table",
    "make_fronts": "front.front",
    "make_plots": "plots",
    "make_scoreboards": "scores.scoreboard",
    "outcomes_of": "evidence",
    "read_point": "points",
    "read_points": "points",
    "run_sheet": "one_run.table",
    "run_table": "one_run.table",
    "run_tables": "one_run.table",
    "runs_csv": "one_run.csv",
    "score_runs": "one_run.scores",
    "score_table": "scores.sheets",
    "status_table": "status.table",
    "write_against": "files",
    "write_comparison": "files",
    "write_front": "front.files",
    "write_plots": "plots",
    "write_report": "files",
}

__all__ = [
    "KINDS",
    "Front",
    "FrontReport",
    "Objective",
    "Plots",
    "Point",
    "ProtocolComparison",
    "Row",
    "RunComparison",
    "RunScores",
    "ScoreReport",
    "Scoreboard",
    "StatusReader",
    "StudyStatus",
    "against_table",
    "change_lines",
    "compare_protocols",
    "compare_runs",
    "comparison_shown",
    "comparison_table",
    "difference_table",
    "draw_front",
    "draw_pairs",
    "failed_checks",
    "front_table",
    "interval_table",
    "make_fronts",
    "make_plots",
    "make_scoreboards",
    "outcomes_of",
    "read_point",
    "read_points",
    "run_sheet",
    "run_table",
    "run_tables",
    "runs_csv",
    "score_runs",
    "score_table",
    "status_table",
    "write_against",
    "write_comparison",
    "write_front",
    "write_plots",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'moat.report' has no attribute {name!r}")
    return getattr(import_module(f"moat.report.{_HOMES[name]}"), name)
