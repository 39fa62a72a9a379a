"""What lies in a run's folder beside its scores; what cannot be read is told, not raised."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from moat.errors import MoatError
from moat.report.curves import TrainingCurves, training_curves
from moat.report.page.galleries import Gallery, read_gallery
from moat.runs import RunFolder
from moat.storage import Record

T = TypeVar("T")

POINTS = 250
"""Points of a curve: about one for every other pixel that its plot is wide."""


@dataclass(frozen=True, eq=False)
class Sources:
    """A run's record, recipe, curves and gallery, and why any of them is missing."""

    record: Record
    recipe: Record | None
    curves: TrainingCurves
    gallery: Gallery | None
    problems: tuple[str, ...]

    @property
    def trained(self) -> bool:
        """Whether moat trained it in this folder: it is no evaluation of what lies elsewhere."""
        return "command" not in self.record and not self.record.get("foreign")


def sources_of(path: Path) -> Sources:
    """Read a run's folder."""
    folder, problems = RunFolder(path), list[str]()

    def tried(read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except MoatError as error:
            problems.append(str(error))
            return instead

    record = folder.read_record() or {}
    return Sources(
        record=record,
        recipe=tried(folder.read_recipe, None),
        curves=tried(lambda: training_curves(folder.read_log(), POINTS), TrainingCurves()),
        gallery=tried(lambda: read_gallery(folder, str(record.get("protocol_hash", ""))), None),
        problems=tuple(problems),
    )
