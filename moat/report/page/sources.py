"""What lies in a run's folder beside its scores; what cannot be read is told, not raised."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from moat.errors import MoatError
from moat.records import Gallery, RunRecord
from moat.report.curves import TrainingCurves, training_curves
from moat.report.evidence import gallery_of
from moat.runs import RunFolder
from moat.storage import Record

T = TypeVar("T")

CARD_POINTS = 250
"""Points of a curve: about one for every other pixel that its plot is wide."""


@dataclass(frozen=True, eq=False)
class Sources:
    """A run's recipe, curves and gallery, and why any of them is missing."""

    recipe: Record | None
    curves: TrainingCurves
    gallery: Gallery | None
    problems: tuple[str, ...]


def sources_of(path: Path, record: RunRecord) -> Sources:
    """Read a run's folder, of which the record is read already."""
    folder, problems = RunFolder(path), list[str]()

    def tried(read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except MoatError as error:
            problems.append(str(error))
            return instead

    return Sources(
        recipe=tried(folder.read_recipe, None),
        curves=tried(lambda: training_curves(folder.read_log(), CARD_POINTS), TrainingCurves()),
        gallery=tried(lambda: gallery_of(folder, record.protocol_hash), None),
        problems=tuple(problems),
    )
