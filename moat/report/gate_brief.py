"""The sanity gate in a few lines, the worst first: each check with its number of runs."""

from collections import Counter
from collections.abc import Iterator, Sequence

from moat.records import Check
from moat.report.gate import Doubt, doubts_of, named_by_place
from moat.report.overfitting_notes import overfitting_notes
from moat.report.plugin_notes import plugin_notes
from moat.report.points import Point
from moat.report.solver_notes import unsolved_notes
from moat.report.stale_notes import stale_notes
from moat.report.words import some


def gate_brief(points: Sequence[Point]) -> list[str]:
    """Return how many checks pass, and a line for each verdict with the number of runs a check.

    A failed check is told with the run it is worst for. What a check means, `gate_notes` says.
    """
    points = sorted(points, key=lambda point: point.where)
    names = named_by_place(points)
    examined = [point for point in points if point.sanity]
    bare = [names[point.where] for point in points if not point.sanity]
    lines = list(_lines(examined, names))
    if bare:
        lines.append(f"No sanity gate is stored with {some(bare)}: `moat evaluate RUN` makes it.")
    plugins = plugin_notes(points, [names[point.where] for point in points])
    overfitted = overfitting_notes(points, names)
    said = [*stale_notes(points, names), *unsolved_notes(points, names), *overfitted, *plugins]
    return [*lines, *said]


def _lines(points: Sequence[Point], names: dict[str, str]) -> Iterator[str]:
    counts = Counter[str](check.verdict for point in points for check in point.sanity)
    if not points:
        return
    if set(counts) <= {"pass"}:
        yield f"Sanity gate: all {counts['pass']} checks pass."
        return
    told = {"warn": "warn", "fail": "fail", "not checked": "not made"}
    others = [f"{counts[verdict]} {word}" for verdict, word in told.items() if counts[verdict]]
    passing = f"{counts['pass']} checks pass"
    yield f"Sanity gate (details: --notes): {', '.join([passing, *others])}."
    for verdict in ("fail", "warn", "not checked"):
        found = sorted(doubts_of(points, names, verdict), key=lambda one: -len(one.labels))
        if found:
            each = [_told(one, len(points), worst=verdict == "fail") for one in found]
            yield f"  {told[verdict]}: {'; '.join(each)}."


def _told(doubt: Doubt, runs: int, *, worst: bool) -> str:
    """Return a check, how many of several runs answer so, and perhaps the worst of them."""
    count = f"{len(doubt.labels)} of {runs} runs" if runs > 1 else ""
    figure = _figure(doubt.worst) if worst or runs == 1 else ""
    if figure and runs > 1:
        figure = f"worst {figure}, {doubt.labels[0]}"
    about = ", ".join(filter(None, [count, figure]))
    return f"{doubt.check} ({about})" if about else doubt.check


def _figure(check: Check) -> str:
    if check.figure is None:
        return ""
    if check.unit == "of the radius":
        figure = f"{100 * check.figure:.0f} % of the radius"
    else:
        figure = f"{check.figure:.3g} {check.unit}".rstrip()
    return f"{check.of} {figure}" if check.of else figure
