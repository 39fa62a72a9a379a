"""A comparison of runs for the terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.explained import (
    BESIDES,
    COUNTS,
    OTHERWISE,
    SAME_RECIPE,
    WHICH,
    comparison_notes,
    scores_title,
    title_of,
)
from moat.report.side_by_side.sheets import (
    FEW,
    counts_sheet,
    ids_sheet,
    keys_sheet,
    runs_sheet,
    scores_sheet,
    whole_tables,
)
from moat.sheets import Sheet, TerminalSheet, blocks, terminal_of

_Parts = list[RenderableType]
_NARROWEST = 12  # cells of a terminal that a value of a recipe gets at least


def comparison_shown(comparison: RunComparison, width: int, all_ids: bool = False) -> Group:
    """Return the runs, what trained them otherwise, the scores, the examples, and the notes.

    What does not fit side by side stands in tables one below another, the reference in each.
    """
    parts: _Parts = [Text(title_of(comparison), style="italic")]
    parts += [_table(runs_sheet(comparison)), ""]
    if comparison.recipe:
        parts += _keys(OTHERWISE, comparison, comparison.recipe, width)
    else:
        parts += [Text(SAME_RECIPE), ""]
    if comparison.circumstances:
        parts += _keys(BESIDES, comparison, comparison.circumstances, width)
    if comparison.refusal:
        return Group(*parts[:-1])
    parts += _judged(comparison, width, all_ids)
    return Group(*parts, Text("\n".join(comparison_notes(comparison, all_ids)), style="dim"))


def _keys(
    title: str, comparison: RunComparison, found: Mapping[str, tuple[Any, ...]], width: int
) -> _Parts:
    """Return the keys in which runs differ, and below them what whole tables say."""
    room = max(_NARROWEST, (width - max(map(len, found)) - 6) // 2)  # so that two runs fit

    def made(some: Sequence[int]) -> TerminalSheet:
        return _table(keys_sheet(comparison, found, some), room)

    whole = "\n".join(whole_tables(found))
    others = range(1, len(comparison.runs))
    below: _Parts = [Text(whole, style="dim"), ""] if whole else []
    return [Text(title, style="bold"), *_fitting(others, width, made), *below]


def _judged(comparison: RunComparison, width: int, all_ids: bool) -> _Parts:
    """Return the scores, how many examples are withstood by whom, and which by one run alone."""

    def scores(some: Sequence[int]) -> TerminalSheet:
        return _table(scores_sheet(comparison, some))

    def counts(some: Sequence[int]) -> TerminalSheet:
        return _table(counts_sheet(comparison, some))

    parts: _Parts = [Text(scores_title(comparison), style="bold")]
    parts += _fitting(range(1, len(comparison.runs)), width, scores)
    parts.append(Text(COUNTS, style="bold"))
    parts += _fitting(range(len(comparison.withstood)), width, counts)
    ids = ids_sheet(comparison, None if all_ids else FEW)
    return parts + ([Text(WHICH, style="bold"), _table(ids), ""] if ids.rows else [])


def _fitting(places: range, width: int, made: Callable[[Sequence[int]], TerminalSheet]) -> _Parts:
    """Return the fewest tables that fit, each of some of the places, with a line after each."""
    found = blocks(len(places), lambda part: made(places[part.start : part.stop]).width <= width)
    return [line for part in found for line in (made(places[part.start : part.stop]), "")]


def _table(sheet: Sheet, room: int | None = None) -> TerminalSheet:
    return terminal_of(sheet, gap=2, room=room, stacked=True)
