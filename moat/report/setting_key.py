"""The identity of a setting: everything that identifies a run's training, but for its seed.

A run that starts from another one has that run's training in its identity, and so that run's seed.
Here the other run stands by its own setting.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from moat.report.points import Point

Trained = Mapping[tuple[str, str], Point]
"""Runs by their study and the hash of their training."""


def setting_keys(points: Iterable[Point]) -> dict[Point, str]:
    """Return the key of each run's setting; runs that differ in their seeds alone share it."""
    points = list(points)
    known: Trained = {(p.study, p.train_hash): p for p in points if p.train_hash}
    return {point: _key(point, known) for point in points}


def _key(point: Point, known: Trained) -> str:
    trains = {key: value for key, value in point.trains.items() if key != "seed"}
    if isinstance(trains.get("start"), dict) and point.start is not None:
        trains["start"] = {**trains["start"], **_start(point, known)}
    return json.dumps([point.study, point.label, trains], sort_keys=True)


def _start(point: Point, known: Trained) -> dict[str, Any]:
    """Return the entries of a start that are equal in all seeds."""
    assert point.start is not None
    place = _place_for_any(point.seed, point.start.place)
    if (training := point.start.training) is not None:
        before = known.get((point.study, training))
        if before is not None and before is not point:
            return {"training": _key(before, known)}
        return {"training": place}
    return {} if place == point.start.place else {"weights": place}


def _place_for_any(seed: int, place: str) -> str:
    """Return the place of a start with {seed} for its seed, as a recipe has it.

    Example:
        >>> _place_for_any(1, "results/digits/natural/r=1/seed-1")
        'results/digits/natural/r=1/seed-{seed}'
    """
    *above, last = re.split(r"[\\/]", place)
    own = ["seed-{seed}" if part == f"seed-{seed}" else part for part in above]
    return "/".join([*own, re.sub(rf"(?<!\d){seed}(?!\d)", "{seed}", last)])
