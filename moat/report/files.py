"""What is shown as files: a set of them a group, for fronts and for scoreboards."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moat.report.against import Comparison
from moat.report.against_shown import against_csv, against_markdown
from moat.report.figure import draw_front
from moat.report.front import Front, FrontReport
from moat.report.gate import worst_verdict
from moat.report.markdown import markdown_of
from moat.report.notes import notes
from moat.report.numbers import as_json
from moat.report.pairs import draw_pairs
from moat.report.rows import Row
from moat.report.scoreboard import ScoreReport
from moat.report.style import render
from moat.report.tidy import csv_of, scores_csv
from moat.storage import disk, make_folder, replace

FORMAT = 1
_Files = dict[str, str | bytes]  # a file's ending -> its content


def write_front(report: FrontReport, folder: Path) -> list[Path]:
    """Write each front's table and picture into a folder and return the paths.

    One group is called front, several front-1, front-2, ... Files of these names that an earlier
    report left and this one does not write are deleted: they would show runs that are gone.
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


def write_against(comparison: Comparison, folder: Path) -> list[Path]:
    """Write a comparison of two protocols as against.md and against.csv; return the paths."""
    files: _Files = {"md": against_markdown(comparison), "csv": against_csv(comparison)}
    return _write_groups("against", folder, [files])


def _front_files(front: Front, skipped: list[str]) -> _Files:
    figure = draw_front(front) if len(front.objectives) == 2 else draw_pairs(front)
    return {
        "csv": csv_text(front),
        "json": json_text(front, skipped),
        "png": render(figure, "png"),
        "svg": render(figure, "svg"),
    }


def _write_groups(name: str, folder: Path, groups: list[_Files]) -> list[Path]:
    """Write the files of each group, by ending, and delete those that an earlier report left."""
    files: _Files = {}
    for number, group in enumerate(groups, 1):
        stem = f"{name}-{number}" if len(groups) > 1 else name
        files |= {f"{stem}.{ending}": content for ending, content in group.items()}
    return write_files(files, folder, [name], list(groups[0]))


def write_files(
    files: Mapping[str, str | bytes], folder: Path, names: Sequence[str], endings: Sequence[str]
) -> list[Path]:
    """Write files into a folder and return their paths.

    Others there that are called as one of the names, numbered or not, are deleted.
    """
    make_folder(folder)
    for file, content in files.items():
        replace(folder / file, content.encode() if isinstance(content, str) else content)
    stale = re.compile(rf"({'|'.join(names)})(-\d+)?\.({'|'.join(endings)})")
    for path in sorted(folder.iterdir()):
        if path.name not in files and stale.fullmatch(path.name):
            with disk(path):
                path.unlink()
    return [folder / file for file in files]


def csv_text(front: Front) -> str:
    """Return one line a run, floats at full precision, nothing where a value is absent."""
    rows = [_flat(front, place, row) for place, row in enumerate(front.rows)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: not name.startswith(("name", "study", "variant", "sweep")))
    return csv_of(rows, names)


def json_text(front: Front, skipped: list[str]) -> str:
    """Return all that is known of a front; what is undefined (NaN) or absent is null."""
    group = front.group
    report = {
        "format": FORMAT,
        "title": group.title,
        "studies": group.studies,
        "data": group.data,
        "protocol_hash": group.protocol_hash,
        "protocol": group.protocol,
        "objectives": [
            {"name": o.name, "maximised": o.maximised, "reference": o.reference}
            for o in front.objectives
        ],
        "hypervolume": front.hypervolume,
        "against": _rival_table(front),
        "notes": notes(front),
        "skipped": skipped,
        "runs": [_table(front, place, row) for place, row in enumerate(front.rows)],
    }
    return json.dumps(as_json(report), indent=2, allow_nan=False) + "\n"


def _rival_table(front: Front) -> dict[str, Any] | None:
    return None if front.rival is None else {**vars(front.rival), "folder": str(front.rival.folder)}


def _table(front: Front, place: int, row: Row) -> dict[str, Any]:
    point, rival = row.point, front.dominated_by[place]
    return {
        "name": row.name,
        "study": point.study,
        "variant": point.variant,
        "sweep": point.sweep,
        "seed": point.seed,
        "folder": point.where,
        "on_front": bool(front.members[place]),
        "dominated_by": None if rival is None else front.rows[rival].name,
        "natural": point.natural,
        "scores": point.scores,
        "universal": row.universal,
        "sacrificed": row.sacrificed,
        "total": point.total,
        "union": point.union,
        "worst": point.worst,
        "conditional": point.conditional,
        "accuracy": point.accuracy,
        "examples": point.examples,
        "training": point.training,
        "sanity": list(point.sanity),
        "baseline": list(row.baseline),
    }


def _flat(front: Front, place: int, row: Row) -> dict[str, Any]:
    """Return a run's table for a line of CSV: dotted keys, the baseline as text."""
    flat: dict[str, Any] = {}
    told = {**_table(front, place, row), "sanity": worst_verdict(row.point)}
    for key, value in as_json(told).items():
        if key == "accuracy":
            value = {f"{t}.{s}": v for t, by in value.items() for s, v in by.items()}
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = "; ".join(value) if isinstance(value, list) else value
    return flat
