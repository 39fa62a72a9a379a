"""A comparison of runs as plain data for JSON, and as CSV."""

from collections.abc import Sequence
from typing import Any

from moat.dotted import ABSENT
from moat.plain import as_json, json_of
from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.scores import PairedDifference
from moat.report.side_by_side.words import comparison_notes
from moat.sheets import csv_of

COMPARISON_FORMAT = 1


def comparison_table(comparison: RunComparison) -> dict[str, Any]:
    """Return all of it as plain data; a run that lacks a key is left out of what is told of it."""
    told = {
        "format": COMPARISON_FORMAT,
        "reference": comparison.names[0],
        "runs": [
            {
                "name": run.name,
                "folder": run.point.where,
                "study": run.point.study,
                "label": run.point.label,
                "seed": run.point.seed,
                "data": run.point.data,
                "protocol_hash": run.point.protocol_hash,
                "examples": run.point.examples,
                "sanity": [check.as_table() for check in run.point.sanity],
            }
            for run in comparison.runs
        ],
        "recipe": _by_name(comparison, comparison.recipe),
        "circumstances": _by_name(comparison, comparison.circumstances),
        "refused": None if comparison.refusal is None else str(comparison.refusal),
        "scores": _scores(comparison),
        "withstood": _withstood(comparison),
        "notes": comparison_notes(comparison, all_ids=True),
    }
    return as_json(told)  # type: ignore[no-any-return]


def comparison_json(comparison: RunComparison) -> str:
    """Return all of it as JSON."""
    return json_of(comparison_table(comparison), indent=2) + "\n"


def comparison_csv(comparison: RunComparison) -> str:
    """Return one line for each score of each run, floats at full precision; no line if refused."""
    rows = []
    for found in comparison.scores:
        for place, run in enumerate(comparison.runs):
            apart = found.differences[place - 1] if place else None
            rows.append(
                {
                    "score": found.score,
                    "run": run.name,
                    "value": found.values[place],
                    "reference": comparison.names[0] if place else None,
                    **_difference(apart),
                    "seed": run.point.seed,
                    "examples": run.point.examples,
                    "protocol_hash": run.point.protocol_hash,
                    "folder": run.point.where,
                }
            )
    return csv_of(rows, _CSV)


def examples_csv(comparison: RunComparison) -> str:
    """Return one line for each example under natural, each threat and union: 1 where withstood."""
    names = comparison.names
    rows = [
        {"withstood": found.what, "id": number, **dict(zip(names, held, strict=True))}
        for found in comparison.withstood
        if found.held is not None
        for number, held in zip(found.ids.tolist(), found.held.T.astype(int).tolist(), strict=True)
    ]
    return csv_of(rows, ["withstood", "id", *names])


def _by_name(
    comparison: RunComparison, found: dict[str, tuple[Any, ...]]
) -> dict[str, dict[str, Any]]:
    return {
        key: {
            name: value
            for name, value in zip(comparison.names, values, strict=True)
            if value is not ABSENT
        }
        for key, values in found.items()
    }


def _scores(comparison: RunComparison) -> list[dict[str, Any]]:
    others = comparison.names[1:]
    return [
        {
            "score": found.score,
            "values": dict(zip(comparison.names, found.values, strict=True)),
            "differences": {
                name: _difference(apart) or None
                for name, apart in zip(others, found.differences, strict=True)
            },
        }
        for found in comparison.scores
    ]


def _difference(apart: PairedDifference | None) -> dict[str, Any]:
    """Return a difference under the names that it has in both files; nothing of none."""
    if apart is None:
        return {}
    return {
        "difference": apart.value,
        "low": apart.low,
        "high": apart.high,
        "excludes_zero": apart.excludes_zero,
    }


def _withstood(comparison: RunComparison) -> list[dict[str, Any]]:
    return [
        {
            "what": found.what,
            "all": found.all,
            "some": found.some,
            "none": found.none,
            "only": {name: found.only(run) for run, name in enumerate(comparison.names)},
            "p": found.p,
        }
        for found in comparison.withstood
    ]


_CSV: Sequence[str] = (
    *("score", "run", "value", "reference", "difference", "low", "high", "excludes_zero"),
    *("seed", "examples", "protocol_hash", "folder"),
)
