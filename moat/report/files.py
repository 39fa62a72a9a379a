"""A report as files: front.csv, front.json, front.png and front.svg, a set of them a group."""

import csv
import io
import json
import math
import os
import re
from pathlib import Path
from typing import Any

from moat.report.figure import draw_front, render
from moat.report.front import Front, FrontReport
from moat.report.notes import notes
from moat.report.rows import Row
from moat.storage import disk, write_text

FORMAT = 1


def write_front(report: FrontReport, folder: Path) -> list[Path]:
    """Write each front's four files into a folder and return their paths.

    One group is called front, several front-1, front-2, ... Files of these names that an earlier
    report left and this one does not write are deleted: they would show runs that are gone.
    """
    several = len(report.fronts) > 1
    written: list[Path] = []
    for number, front in enumerate(report.fronts, 1):
        stem = f"front-{number}" if several else "front"
        paths = [folder / f"{stem}.{ending}" for ending in ("csv", "json", "png", "svg")]
        figure = draw_front(front)
        write_text(paths[0], csv_text(front))
        write_text(paths[1], json_text(front, report.skipped))
        _write_bytes(paths[2], render(figure, "png"))
        _write_bytes(paths[3], render(figure, "svg"))
        written += paths
    for path in sorted(folder.iterdir()):
        if path not in written and re.fullmatch(r"front(-\d+)?\.(csv|json|png|svg)", path.name):
            with disk(path):
                path.unlink()
    return written


def csv_text(front: Front) -> str:
    """Return one line a run, floats at full precision, nothing where a value is absent."""
    rows = [_flat(front, place, row) for place, row in enumerate(front.rows)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: not name.startswith(("name", "study", "variant", "sweep")))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


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
        "notes": notes(front),
        "skipped": skipped,
        "runs": [_table(front, place, row) for place, row in enumerate(front.rows)],
    }
    return json.dumps(_finite(report), indent=2, allow_nan=False) + "\n"


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
        "conditional": point.conditional,
        "accuracy": point.accuracy,
        "examples": point.examples,
        "training": point.training,
        "baseline": list(row.baseline),
    }


def _flat(front: Front, place: int, row: Row) -> dict[str, Any]:
    """Return a run's table for a line of CSV: dotted keys, the baseline as text."""
    flat: dict[str, Any] = {}
    for key, value in _finite(_table(front, place, row)).items():
        if key == "accuracy":
            value = {f"{t}.{s}": v for t, by in value.items() for s, v in by.items()}
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = "; ".join(value) if isinstance(value, list) else value
    return flat


def _finite(value: Any) -> Any:
    """Return the same with None for NaN and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_bytes(path: Path, content: bytes) -> None:
    """Write beside the file, then put it in its place in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk(path):
        temporary.write_bytes(content)
        os.replace(temporary, path)
