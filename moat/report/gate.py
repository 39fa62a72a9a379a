"""The sanity gate in words under every table: the failed checks and their runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moat.records import Check
from moat.report.overfitting_notes import overfitting_notes
from moat.report.plugin_notes import plugin_notes
from moat.report.points import Point
from moat.report.solver_notes import unsolved_notes
from moat.report.stale_notes import stale_notes
from moat.report.words import some


@dataclass(frozen=True)
class Doubt:
    """One answer to one check that several runs share, told by the run it is worst for."""

    worst: Check
    labels: tuple[str, ...]  # the worst first

    @property
    def check(self) -> str:
        """The name of the check."""
        return self.worst.name

    @property
    def text(self) -> str:
        """The meaning of the answer."""
        return self.worst.text


def gate_notes(points: Sequence[Point]) -> list[str]:
    """Return how many checks pass, a line for each doubt, and which runs have no gate at all.

    Last come the runs in whose training a solver refused, and those whose plug-ins differ.
    """
    points = sorted(points, key=lambda point: point.where)
    names = named_by_place(points)
    examined = [point for point in points if point.sanity]
    bare = [names[point.where] for point in points if not point.sanity]
    lines = [_counted(examined)] if examined else []
    lines += [
        f"{verdict}, {doubt.check} ({some(doubt.labels)}): {doubt.text}"
        for verdict in ("fail", "warn", "not checked")
        for doubt in doubts_of(examined, names, verdict)
    ]
    if bare:
        lines.append(
            f"{some(bare)} has no stored sanity gate: `moat evaluate` with the run's folder "
            "makes it."
        )
    plugins = plugin_notes(points, [names[point.where] for point in points])
    overfitted = overfitting_notes(points, names)
    said = [*stale_notes(points, names), *unsolved_notes(points, names), *overfitted, *plugins]
    return [*lines, *said]


def named_by_place(points: Sequence[Point]) -> dict[str, str]:
    """Return what each run is called, by where it lies: with its seed where these differ."""
    seeds = len({point.seed for point in points}) > 1
    return {p.where: f"{p.label}, seed {p.seed}" if seeds else p.label for p in points}


def failed_checks(point: Point) -> list[str]:
    """Return a line for each check of a run's gate that fails."""
    return [
        f"sanity gate: fail, {check.name}: {check.text}"
        for check in point.sanity
        if check.verdict == "fail"
    ]


def worst_verdict(point: Point) -> str | None:
    """Return the worst verdict of a run's gate, None where none is stored."""
    verdicts = {check.verdict for check in point.sanity}
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), None)


def _counted(points: Sequence[Point]) -> str:
    counts = Counter[str](check.verdict for point in points for check in point.sanity)
    found = ", ".join(f"{counts[name]} {words}" for name, words in _WORDS.items() if counts[name])
    runs, checks = _number(len(points), "run"), _number(counts.total(), "check")
    return f"Sanity gate of {runs}, {checks}: {found}."


def _number(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def doubts_of(points: Sequence[Point], names: dict[str, str], verdict: str) -> Iterator[Doubt]:
    """Yield the checks with this verdict, in the gate's order."""
    found: dict[str, list[tuple[Check, str]]] = {}
    for point in points:
        for check in point.sanity:
            answers = found.setdefault(check.name, [])
            if check.verdict == verdict:
                answers.append((check, names[point.where]))
    for answers in found.values():
        if not answers:
            continue
        answers.sort(key=lambda answer: _badness(answer[0]), reverse=True)
        labels = tuple(label for _, label in answers)
        yield Doubt(answers[0][0], labels)


def _badness(check: Check) -> float:
    figure = check.figure or 0.0
    return -figure if check.high_is_good else figure


_WORST_FIRST = ("fail", "warn", "pass", "not checked")
_WORDS = {"pass": "pass", "warn": "warn", "fail": "fail", "not checked": "not made"}
