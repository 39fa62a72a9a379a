"""How a run's training went: its log as curves, few enough points to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from moat.storage import Record

MOST = 400
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


def training_curves(log: Sequence[Record], most: int = MOST) -> TrainingCurves:
    """Return the curves of a run's log, each of at most so many points."""
    steps = [record for record in log if "loss" in record]
    epochs = [record for record in log if "validation" in record]
    size = max(1, -(-len(steps) // most))
    bins = [steps[start : start + size] for start in range(0, len(steps), size)]
    return TrainingCurves(
        steps=tuple(part[-1]["step"] for part in bins),
        losses=_means(bins, "loss"),
        weights=_means(bins, "weight"),
        clamped=_stretches(steps),
        validated=tuple(record["step"] for record in epochs),
        validation=_means([[record] for record in epochs], "validation"),
        averaged=size,
    )


def _means(bins: Sequence[Sequence[Record]], table: str) -> dict[str, Curve]:
    names = dict.fromkeys(name for part in bins for record in part for name in record[table])
    return {name: tuple(_mean(part, table, name) for part in bins) for name in names}


def _mean(part: Sequence[Record], table: str, name: str) -> float | None:
    found = [value for record in part if (value := record[table].get(name)) is not None]
    return fmean(found) if found else None


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
