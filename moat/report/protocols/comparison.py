"""The same runs under two protocols: by how much the one overstates their scores."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from moat.dotted import differing
from moat.errors import FrontError
from moat.report.common_examples import common_ids, same_examples_hint
from moat.report.groups import Group, group_points
from moat.report.points import Point, on_examples, read_points
from moat.report.setting_key import setting_keys
from moat.runs import RunFolder, as_typed

SUM, WHOLE_UNION = "sum", "union"


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two: the folder as a person names it, and its runs, all of one protocol."""

    folder: Path
    group: Group
    skipped: list[str]  # why runs could not be read


@dataclass(frozen=True, eq=False)
class Pair:
    """One variant under both protocols, each number the mean over the seeds that both have.

    `here` and `there` hold the accuracy in percent at the largest strength, of each threat or
    ensemble that both protocols name, then their sum and the union; None where it is absent.
    """

    label: str
    seeds: int
    natural: float
    here: dict[str, float | None]
    there: dict[str, float | None]

    def drop(self, name: str) -> float | None:
        """Return how far an accuracy lies lower there, in points; None where one is absent."""
        here, there = self.here[name], self.there[name]
        return None if here is None or there is None else here - there


@dataclass(frozen=True, eq=False)
class ProtocolComparison:
    """Two sides, the variants of both, and those of only one."""

    here: Side
    there: Side
    names: tuple[str, ...]  # of the threats and ensembles that both have
    summed: tuple[str, ...]
    pairs: tuple[Pair, ...]
    unmatched: tuple[str, ...]  # runs of one side alone, by their folders
    changed: tuple[str, ...]  # runs there that answer otherwise on the very natural images
    examples: int  # that each number is of: those that all runs of both sides share
    evaluated: tuple[int, int]  # examples of each side

    @property
    def columns(self) -> tuple[str, ...]:
        """The compared names, in order."""
        return (*self.names, *([SUM] if self.summed else []), WHOLE_UNION)

    def drops(self) -> Iterator[tuple[float, str, str]]:
        """Yield each threat's drop with its variant and its name."""
        for pair in self.pairs:
            for name in self.names:
                if (drop := pair.drop(name)) is not None:
                    yield drop, pair.label, name


def compare_protocols(results: Path, against: Path) -> ProtocolComparison:
    """Compare the runs in two folders; FrontError if they are not comparable.

    Runs are matched by their training settings, seed included, not by the protocol. All numbers are
    of the test examples common to every matched run.
    """
    here, there = _side(results), _side(against)
    _require_same_test_set(here, there)
    ours, theirs = ({_trained(p): p for p in side.group.points} for side in (here, there))
    both = [key for key in ours if key in theirs]
    if not both:
        raise FrontError(
            f"no run below {results} was trained as one below {against} was.",
            hint="`moat evaluate RUN --protocol FILE` evaluates a run under another protocol.",
        )
    names = tuple(name for name in here.group.scored if name in there.group.scored)
    if not names:
        raise FrontError(
            f"the two protocols share no name of a threat or ensemble: {_listed(here)}, and "
            f"{_listed(there)}.",
            hint="An ensemble gives searches a common name: ensembles = { pgd = [...] }.",
        )
    summed = [name for name in here.group.protocol.summed if name in names]
    summed = summed if len(summed) == len(here.group.protocol.summed) else []
    matched = [(ours[key], theirs[key]) for key in both]
    ids = _common_ids(here, there, matched)
    compared = [(on_examples(one, ids), on_examples(other, ids)) for one, other in matched]
    keys = setting_keys(one for one, _ in compared)
    alike: dict[str, list[tuple[Point, Point]]] = {}
    for pair in compared:
        alike.setdefault(keys[pair[0]], []).append(pair)
    alone = [
        point.place
        for side, other in ((here, theirs), (there, ours))
        for point in side.group.points
        if _trained(point) not in other
    ]
    return ProtocolComparison(
        here,
        there,
        names,
        summed=tuple(summed),
        pairs=tuple(_pair(points, names, summed) for points in alike.values()),
        unmatched=tuple(alone),
        changed=tuple(theirs.place for ours, theirs in compared if _changed(ours, theirs)),
        examples=len(ids),
        evaluated=(matched[0][0].examples, matched[0][1].examples),
    )


def _side(folder: Path) -> Side:
    points, skipped = read_points(folder)
    groups = group_points(points)
    if len(groups) > 1:
        some = "; ".join(f"{g.points[0].where} by protocol {g.protocol_hash}" for g in groups[:3])
        raise FrontError(
            f"the runs in this folder have {len(groups)} protocols or data sets.",
            where=str(folder),
            hint=f"Name a folder with one of them: {some}.",
        )
    return Side(Path(as_typed(str(folder))), groups[0], skipped)


def _require_same_test_set(here: Side, there: Side) -> None:
    if found := differing(here.group.data, there.group.data):
        differ = "; ".join(f"{key} is {one} and {other}" for key, (one, other) in found.items())
        raise FrontError(
            f"{here.folder} and {there.folder} were evaluated on different test sets: {differ}.",
            hint="Only scores on the same test set can be compared: `moat evaluate RUN --protocol "
            "FILE` evaluates on the data of the file.",
        )


def _common_ids(
    here: Side, there: Side, matched: Sequence[tuple[Point, Point]]
) -> NDArray[np.int64]:
    """Return the examples that every matched run was judged on; FrontError of too few."""
    first, second = matched[0]

    def mend() -> str:
        record = RunFolder(second.folder).read_record()
        if record is not None and record.is_evaluation_alone:
            return same_examples_hint(second, first)
        return same_examples_hint(first, second)

    points = [point for pair in matched for point in pair]
    return common_ids(points, [here.folder, there.folder], mend)


def _changed(ours: Point, theirs: Point) -> bool:
    """Say whether a run's natural outcomes differ on the same examples."""
    return not np.array_equal(ours.outcomes.values[:, 0], theirs.outcomes.values[:, 0])


def _trained(point: Point) -> str:
    """Return the identity of a run's training, with its label."""
    return json.dumps([point.label, point.trains, point.seed], sort_keys=True)


def _pair(points: Sequence[tuple[Point, Point]], names: Sequence[str], summed: list[str]) -> Pair:
    ours, theirs = zip(*points, strict=True)
    first = points[0][0]
    natural = fmean(point.natural for point in ours)
    here, there = (_accuracies(side, names, summed) for side in (ours, theirs))
    return Pair(first.label, len(points), natural, here, there)


def _accuracies(
    points: Sequence[Point], names: Sequence[str], summed: list[str]
) -> dict[str, float | None]:
    found = {name: _mean([point.worst[name] for point in points]) for name in names}
    if summed:
        parts = [found[name] for name in summed]
        found[SUM] = None if None in parts else sum(part or 0.0 for part in parts)
    return {**found, WHOLE_UNION: _mean([point.union for point in points])}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _listed(side: Side) -> str:
    return f"{', '.join(side.group.scored)} below {side.folder}"
