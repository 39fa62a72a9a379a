"""The files of a run's folder beside its scores; unreadable ones are reported, not raised."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from moat.errors import MoatError
from moat.records import Gallery, RunRecord
from moat.report.curves import TrainingCurves, training_curves
from moat.report.evidence import gallery_of, require_record
from moat.runs import RunFolder, as_typed
from moat.storage import Record

T = TypeVar("T")

CARD_POINTS = 250
"""Points of a curve: about one for every other pixel that its plot is wide."""


@dataclass(frozen=True, eq=False)
class Sources:
    """A run's record, recipe, curves and gallery, and why any of these is missing."""

    record: RunRecord
    recipe: Record | None
    curves: TrainingCurves
    gallery: Gallery | None
    problems: tuple[str, ...]


def sources_of(path: Path) -> Sources:
    """Read a finished run's folder."""
    folder, problems = RunFolder(path), list[str]()

    def tried(read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except MoatError as error:
            problems.append(as_typed(str(error)))
            return instead

    record = require_record(folder)
    return Sources(
        record=record,
        recipe=tried(folder.read_recipe, None),
        curves=tried(lambda: training_curves(folder.read_log(), CARD_POINTS), TrainingCurves()),
        gallery=tried(lambda: gallery_of(folder, record.protocol_hash), None),
        problems=tuple(problems),
    )
