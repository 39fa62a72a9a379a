"""Catastrophic overfitting in training, in words under every table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moat.report.points import Point
from moat.report.words import some


def overfitting_notes(points: Sequence[Point], names: Mapping[str, str]) -> list[str]:
    """Return a warning of the runs whose training has overfitted to its searches, by threat."""
    found: dict[str, list[str]] = {}
    for point in points:
        for label, _ in overfitted(point.training):
            found.setdefault(label, []).append(names[point.where])
    return [
        f"warn, catastrophic overfitting ({some(runs)}): in training, accuracy under more steps of "
        f"{label!r} fell while that under its own search rose; the log has both."
        for label, runs in found.items()
    ]


def overfitted(training: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    """Yield the overfitted threats of a training, each with the step of its alarm if it is known.

    Example:
        >>> list(overfitted({"overfitting": {"pgd": {"step": 120, "own": 97.0}}}))
        [('pgd', 120)]
    """
    alarms = training.get("overfitting")
    for label, alarm in alarms.items() if isinstance(alarms, Mapping) else ():
        step = alarm.get("step") if isinstance(alarm, Mapping) else None
        yield str(label), step if type(step) is int else None
