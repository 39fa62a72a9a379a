"""The log of a run's training as curves, with few enough points to draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from moat.storage import Record

CURVE_POINTS = 400
"""Points of a curve; each is the mean over as many logged steps as it takes."""

Curve = tuple[float | None, ...]


@dataclass(frozen=True)
class TrainingCurves:
    """Losses and weights by objective at `steps`; held-out accuracy in percent at `validated`.

    A value is None where an objective was not measured. `clamped` are the stretches of steps, first
    and last, whose r no weights could reach. `averaged` logged steps make a point.
    """

    steps: tuple[int, ...] = ()
    losses: dict[str, Curve] = field(default_factory=dict)
    weights: dict[str, Curve] = field(default_factory=dict)
    clamped: tuple[tuple[int, int], ...] = ()
    validated: tuple[int, ...] = ()
    validation: dict[str, Curve] = field(default_factory=dict)
    averaged: int = 1


def training_curves(log: Sequence[Record], most: int = CURVE_POINTS) -> TrainingCurves:
    """Return the curves of a run's log, each of at most so many points."""
    steps = [record for record in log if "loss" in record]
    epochs = [record for record in log if "validation" in record]
    size = max(1, -(-len(steps) // most))
    return TrainingCurves(
        steps=tuple(
            steps[min(start + size, len(steps)) - 1]["step"] for start in range(0, len(steps), size)
        ),
        losses=_means(steps, "loss", size),
        weights=_means(steps, "weight", size),
        clamped=_stretches(steps),
        validated=tuple(record["step"] for record in epochs),
        validation=_means(epochs, "validation", 1),
        averaged=size,
    )


def lone_places(values: Sequence[float | None]) -> list[int]:
    """Return the places of values without a neighbour, of which no line shows anything.

    Example:
        >>> lone_places([1.0, None, 2.0, 3.0, float("nan"), 4.0])
        [0, 5]
    """
    known = [False, *(value is not None and math.isfinite(value) for value in values), False]
    return [
        place
        for place in range(len(values))
        if known[place + 1] and not (known[place] or known[place + 2])
    ]


def _means(records: Sequence[Record], table: str, size: int) -> dict[str, Curve]:
    """Return each name's means over so many records after another, None where none has it."""
    names: Record = {}
    tables = [record[table] for record in records]
    for one in tables:
        names.update(one)
    starts = range(0, len(records), size)
    curves = {}
    for name in names:
        found = np.array([one.get(name) for one in tables], dtype=float)
        known = np.isfinite(found)
        counts = np.add.reduceat(known, starts, dtype=int)
        sums = np.add.reduceat(np.where(known, found, 0.0), starts)
        curves[name] = tuple(
            total / count if count else None
            for total, count in zip(sums.tolist(), counts.tolist(), strict=True)
        )
    return curves


def _stretches(steps: Sequence[Record]) -> tuple[tuple[int, int], ...]:
    """Return the first and last step of each unbroken run of clamped records.

    A record speaks for the steps since the record before it.
    """
    found: list[tuple[int, int]] = []
    before, going = 0, False
    for record in steps:
        if record.get("clamped"):
            first = found.pop()[0] if going else before
            found.append((first, record["step"]))
        going, before = bool(record.get("clamped")), record["step"]
    return tuple(found)
