"""A front as data: front.json, complete, and front.csv, one line for each run."""

from collections.abc import Sequence
from typing import Any

from moat.plain import as_json, json_of
from moat.report.front.front import Front
from moat.report.front.notes import notes
from moat.report.gate import worst_verdict
from moat.report.rows import Row
from moat.sheets import csv_of

FRONT_FORMAT = 3
"""Before 2 there were no settings; before 3, a run's `on_front` was that of its setting."""

_Table = dict[str, Any]


def csv_text(front: Front) -> str:
    """Return one line for each run, floats at full precision, nothing where a value is absent."""
    rows = [_flat(front, place, row) for place, row in _rows(front)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: not name.startswith(("name", "study", "variant", "sweep")))
    return csv_of(rows, names)


def json_text(front: Front, skipped: list[str]) -> str:
    """Return all that is known of a front; what is undefined (NaN) or absent is null."""
    group = front.group
    report = {
        "format": FRONT_FORMAT,
        "title": group.title,
        "studies": group.studies,
        "data": group.data,
        "protocol_hash": group.protocol_hash,
        "protocol": group.protocol.as_table(),
        "objectives": [
            {"name": o.name, "unit": o.unit, "maximised": o.maximised, "reference": o.reference}
            for o in front.objectives
        ],
        "hypervolume": front.hypervolume,
        "hypervolume_is_exact": front.exact,
        "duplicates": front.duplicates,
        "high_trade_offs": [front.settings[place].name for place in front.knees],
        "difference_from": front.differences and front.differences.baseline.name,
        "attainment": _attainment(front),
        "choice": _choice(front),
        "against": _rival(front),
        "notes": notes(front),
        "skipped": skipped,
    }
    text = json_of(report, indent=2)
    lines = {
        "settings": [_setting(front, place) for place in range(len(front.settings))],
        "runs": [_run(front, place, row) for place, row in _rows(front)],
    }
    return text.removesuffix("\n}") + "".join(_lined(*each) for each in lines.items()) + "\n}\n"


def _lined(name: str, tables: Sequence[_Table]) -> str:
    """Return a further key of the report, a line for each table: indented, they took seconds."""
    rows = (json_of(table) for table in tables)
    return f',\n  "{name}": [\n    ' + ",\n    ".join(rows) + "\n  ]"


def _rows(front: Front) -> list[tuple[int, Row]]:
    """Return every run with the place of its setting."""
    return [(place, row) for place, setting in enumerate(front.settings) for row in setting.rows]


def _attainment(front: Front) -> _Table | None:
    found = front.attainment
    if found is None:
        return None
    surfaces = {n: getattr(found, n).tolist() for n in ("best", "median", "worst")}
    return {"seeds": list(found.seeds), **surfaces}


def _choice(front: Front) -> _Table | None:
    choice = front.choice
    if choice is None:
        return None
    return {
        "weights": choice.weights,
        "run": choice.row.name,
        "folder": choice.row.point.place,
        "by_achievement": None if choice.otherwise is None else choice.otherwise.name,
        "validation": choice.validation,
        "validation_examples": choice.examples,
        "test": choice.test,
    }


def _rival(front: Front) -> _Table | None:
    rival = front.rival
    if rival is None:
        return None
    kept = {name: value for name, value in vars(rival).items() if name != "exact"}
    known = {"hypervolume_is_exact": rival.exact, "points": rival.points.tolist()}
    return {**kept, "folder": str(rival.folder), **known}


def _setting(front: Front, place: int) -> _Table:
    setting = front.settings[place]
    return {
        "name": setting.name,
        "seeds": setting.seeds,
        "runs": [row.name for row in setting.rows],
        **_standing(front, place),
        **_differences(front, place),
    }


def _differences(front: Front, place: int) -> _Table:
    """Return the paired differences of a setting to the baseline, and their standard errors."""
    if front.differences is None:
        return {}
    found = front.differences.beside(front.settings[place])
    return {
        "difference": {name: of and of.value for name, of in found.items()},
        "difference_error": {name: of and of.error for name, of in found.items()},
    }


def _standing(front: Front, place: int) -> _Table:
    """Return where a setting stands: its objectives, their intervals, its place on the front."""
    rival, sure = front.dominated_by[place], front.uncertainty
    names = [objective.name for objective in front.objectives]
    table: _Table = {
        "on_front": bool(front.members[place]),
        "dominated_by": None if rival is None else front.settings[rival].name,
        "mean": dict(zip(names, front.values[place].tolist(), strict=True)),
    }
    if sure is not None:
        table["low"] = dict(zip(names, sure.low[place].tolist(), strict=True))
        table["high"] = dict(zip(names, sure.high[place].tolist(), strict=True))
        table["interval_over"] = sure.over[place]
        table["non_dominated"] = None if sure.on_front is None else float(sure.on_front[place])
    return table


def _run(front: Front, place: int, row: Row) -> _Table:
    point = row.point
    standing = _standing(front, place)
    rival = front.runs_dominated_by[point.where]
    return {
        "name": row.name,
        "study": point.study,
        "variant": point.variant,
        "sweep": point.sweep,
        "seed": point.seed,
        "folder": point.where,
        "on_front": rival is None,
        "dominated_by": None if rival is None else rival.name,
        "setting": front.settings[place].name,
        "setting_on_front": standing["on_front"],
        "setting_dominated_by": standing["dominated_by"],
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
        "sanity": [check.as_table() for check in point.sanity],
        "baseline": list(row.baseline),
    }


def _flat(front: Front, place: int, row: Row) -> _Table:
    """Return a run's table for a line of CSV: dotted keys, the baseline as text.

    And what is known of its setting: low, high, interval_over, non_dominated and its differences.
    """
    flat: _Table = {}
    sure = {k: v for k, v in _standing(front, place).items() if k in _SURE}
    compared = front.differences and {"difference_from": front.differences.baseline.name}
    between = {**(compared or {}), **_differences(front, place)}
    told = {**_run(front, place, row), "sanity": worst_verdict(row.point), **sure, **between}
    for key, value in as_json(told).items():
        if key == "accuracy":
            value = {f"{t}.{s}": v for t, by in value.items() for s, v in by.items()}
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = "; ".join(value) if isinstance(value, list) else value
    return flat


_SURE = ("low", "high", "interval_over", "non_dominated")
