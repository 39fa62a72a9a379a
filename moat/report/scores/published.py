"""Figures that a paper prints, to be set beside a study's own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moat.errors import RunFolderError
from moat.report.points import Point
from moat.runs import RunFolder


@dataclass(frozen=True)
class Published:
    """A recipe's table of published figures: a label, then a score, in percent."""

    source: str
    runs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def variants(self) -> list[str]:
        """The variants that it names, in its order: the first word of each label."""
        return list(dict.fromkeys(label.partition(" ")[0] for label in self.runs))

    @property
    def scores(self) -> list[str]:
        """The scores that it names, in its order."""
        return list(dict.fromkeys(score for figures in self.runs.values() for score in figures))


def stated_by(results: Path, points: Sequence[Point]) -> tuple[dict[str, Published], list[str]]:
    """Return what each run's own recipe states, by the run's folder, and which are broken.

    The table belongs to no run's identity: a run that was finished before it was added or changed
    keeps the old one, or none. A run whose recipe is broken keeps its scores.
    """
    stated, broken = {}, []
    for point in points:
        try:
            one = published_in(RunFolder(results / point.where))
        except RunFolderError as error:
            broken.append(str(error))
            continue
        if one is not None:
            stated[point.where] = one
    return stated, broken


def published_in(folder: RunFolder) -> Published | None:
    """Return what the recipe of a run states, None where it states nothing."""
    table = (folder.read_recipe() or {}).get("published")
    if table is None:
        return None
    source, runs = (table.get(key) if isinstance(table, dict) else None for key in _KEYS)
    if isinstance(source, str) and isinstance(runs, dict) and all(map(_is_figures, runs.values())):
        return Published(source, runs)
    raise RunFolderError(
        "its published figures are no table of a source and of runs with numbers.",
        where=str(folder.recipe),
        hint="`moat report --recipe FILE` takes them from another recipe.",
    )


def _is_figures(value: Any) -> bool:
    numbers = value.values() if isinstance(value, dict) else [None]
    return all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)


_KEYS = ("source", "runs")
