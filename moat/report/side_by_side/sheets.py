"""A comparison of runs as tables of text, for the terminal and for Markdown alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from moat.dotted import ABSENT
from moat.report.numbers import DASH, gap, percent
from moat.report.points import described_type
from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.scores import PairedDifference
from moat.sheets import Sheet

FEW_IDS = 5
"""The number of ids that are shown unless all are asked for."""


def runs_sheet(comparison: RunComparison) -> Sheet:
    """Return where each run lies, the reference first."""
    rows = [(run.name, run.point.where) for run in comparison.runs]
    return Sheet(("run", "folder"), tuple(rows), "ll")


def keys_sheet(
    comparison: RunComparison, found: Mapping[str, tuple[Any, ...]], others: Sequence[int]
) -> Sheet:
    """Return the keys in which runs differ, a column for the reference and each of some others.

    A key in which these agree is left out. A whole table that some lack is named by its type;
    `whole_tables` has what it says.
    """
    places = [0, *others]
    rows = [
        (key, *(_brief(values[place]) for place in places))
        for key, values in found.items()
        if any(values[place] != values[0] for place in others)
    ]
    headings = ("", *(comparison.names[place] for place in places))
    return Sheet(headings, tuple(rows), "l" * len(headings))


def whole_tables(found: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """Return a line for each table that some runs have and others lack: what it says."""
    lines = [
        f"{key}: {written(value)}"
        for key, values in found.items()
        for value in values
        if isinstance(value, dict) and value
    ]
    return list(dict.fromkeys(lines))


def scores_sheet(comparison: RunComparison, others: Sequence[int]) -> Sheet:
    """Return the reference's scores, and those of some others, each with its difference."""
    headings = ["", comparison.names[0]]
    for other in others:
        headings += [comparison.names[other], "difference"]
    rows = []
    for found in comparison.scores:
        row = [found.score, percent(found.values[0])]
        for other in others:
            row += [percent(found.values[other]), _interval(found.differences[other - 1])]
        rows.append(tuple(row))
    return Sheet(tuple(headings), tuple(rows), "lr" + "rl" * len(others))


def counts_sheet(comparison: RunComparison, places: Sequence[int]) -> Sheet:
    """Return how many examples all runs, one alone or none withstand, of some of the columns."""
    several = len(comparison.runs) > 2
    picked = [comparison.withstood[place] for place in places]
    rows = [("all" if several else "both", *(_count(found.all) for found in picked))]
    if several:
        rows.append(("some, not all", *(_count(found.some) for found in picked)))
    for run, name in enumerate(comparison.names):
        counts = [_count(None if (ids := f.only(run)) is None else len(ids)) for f in picked]
        rows.append((f"only {name}", *counts))
    rows.append(("none" if several else "neither", *(_count(found.none) for found in picked)))
    if not several:
        rows.append(("p", *(_probability(found.p) for found in picked)))
    headings = ("withstood by", *(found.what for found in picked))
    return Sheet(headings, tuple(rows), "l" + "r" * len(picked))


def ids_sheet(comparison: RunComparison, most: int | None = FEW_IDS) -> Sheet:
    """Return which examples one run alone withstands: the first few ids of each, or all."""
    rows = []
    for found in comparison.withstood:
        for run, name in enumerate(comparison.names):
            if ids := found.only(run):
                rows.append((found.what, name, _ids(ids, most)))
    return Sheet(("", "only", "examples"), tuple(rows), "lll")


def leaves_ids_out(comparison: RunComparison, most: int | None = FEW_IDS) -> bool:
    """Say whether some ids are left out where at most so many are shown."""
    return most is not None and any(
        len(found.only(run) or ()) > most
        for found in comparison.withstood
        for run in range(len(comparison.runs))
    )


def written(value: Any) -> str:
    """Return a value of a recipe as words."""
    if value is ABSENT:
        return DASH
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{key} {_inner(item)}" for key, item in value.items()) or "{}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_inner, value)) or "[]"
    return str(value)


def _brief(value: Any) -> str:
    if isinstance(value, dict) and value:
        return str(described_type(value) or "a table")
    return written(value)


def _inner(value: Any) -> str:
    text = written(value)
    if isinstance(value, dict) and value:
        return f"{{{text}}}"
    return f"[{text}]" if isinstance(value, list | tuple) and value else text


def _interval(difference: PairedDifference | None) -> str:
    """Return a difference, its interval, and the mark of one that excludes 0, of equal widths."""
    if difference is None:
        return f"{DASH:>6}"
    ends = f"[{gap(difference.low)}, {gap(difference.high)}]"
    return f"{gap(difference.value):>6} {ends:>16}" + " *" * difference.excludes_zero


def _count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def _probability(value: float | None) -> str:
    if value is None:
        return DASH
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _ids(ids: Sequence[int], most: int | None) -> str:
    shown = ", ".join(map(str, ids[:most]))
    rest = 0 if most is None else max(0, len(ids) - most)
    return f"{shown} and {rest:,} more" if rest else shown
