"""The identity of a setting: everything that identifies a run's training, but for its seed.

A run that starts from another one has that run's training in its identity, and so that run's seed.
Here the other run stands by its own setting. If its folder is gone, it has the setting of the run
that another seed started from, if there is one.
"""

import re
from collections.abc import Iterable, Mapping

from moat.digests import short_hash
from moat.report.points import Point

Befores = Mapping[Point, Point]
"""The run that each run starts from, or the one that another seed of its setting starts from."""


def setting_keys(points: Iterable[Point]) -> dict[Point, str]:
    """Return the key of each run's setting; runs that differ in their seeds alone share it."""
    points = list(points)
    befores = _befores(points)
    keys: dict[Point, str] = {}
    for point in points:
        for run in reversed(_with_starts(point, befores, keys)):  # each after the run before it
            if run not in keys:
                before = befores.get(run)
                keys[run] = _key(run, keys.get(before) if before else None)
    return {point: keys[point] for point in points}


def _with_starts(point: Point, befores: Befores, keys: Mapping[Point, str]) -> list[Point]:
    """Return a run, the run that it starts from, and so on, up to the first that has a key."""
    found = dict.fromkeys([point])
    while (before := befores.get(point)) is not None:
        if before in found or before in keys:
            break
        found[before] = None
        point = before
    return list(found)


def _befores(points: Iterable[Point]) -> Befores:
    points = list(points)
    trained = {(p.study, p.train_hash): p for p in points if p.train_hash}
    legs = [(p, p.start.training) for p in points if p.start and p.start.training is not None]
    before = {leg: trained.get((leg.study, training)) for leg, training in legs}
    found = {leg: run for leg, run in before.items() if run is not None}
    by_place = {_key(leg, None): run for leg, run in found.items()}
    for leg in before.keys() - found.keys():
        if (run := by_place.get(_key(leg, None))) is not None:
            found[leg] = run
    return found


def _key(point: Point, before: str | None) -> str:
    """Return a run's key, by that of the run before it."""
    trains = {key: value for key, value in point.trains.items() if key != "seed"}
    if isinstance(trains.get("start"), dict) and point.start is not None:
        place = _place_for_any(point.seed, point.start.place)
        if point.start.training is not None:
            trains["start"] = {**trains["start"], "training": before or place}
        elif place != point.start.place:
            trains["start"] = {**trains["start"], "weights": place}
    return short_hash({"study": point.study, "label": point.label, "trains": trains})


def _place_for_any(seed: int, place: str) -> str:
    """Return the place of a start with {seed} for its seed, as a recipe has it.

    Example:
        >>> _place_for_any(1, "results/digits/natural/r=1/seed-1")
        'results/digits/natural/r=1/seed-{seed}'
    """
    *above, last = re.split(r"[\\/]", place)
    own = ["seed-{seed}" if part == f"seed-{seed}" else part for part in above]
    return "/".join([*own, re.sub(rf"(?<!\d){seed}(?!\d)", "{seed}", last)])
