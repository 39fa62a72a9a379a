"""What a study shows: run folders in, tables, files and pictures out. Trains nothing."""

from moat.report.figure import draw_front
from moat.report.files import write_front
from moat.report.front import Front, FrontReport, Objective, make_fronts
from moat.report.points import Point, outcomes_of, read_points
from moat.report.rows import Row
from moat.report.table import front_table

__all__ = [
    "Front",
    "FrontReport",
    "Objective",
    "Point",
    "Row",
    "draw_front",
    "front_table",
    "make_fronts",
    "outcomes_of",
    "read_points",
    "write_front",
]
