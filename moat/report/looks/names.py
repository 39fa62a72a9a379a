"""The names in a group's studies, and the look of each variant, setting and objective."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moat.errors import MoatError
from moat.report.looks.palette import DASHES, OBJECTIVES, VARIANTS, Look
from moat.report.numbers import ascending
from moat.report.points import Point
from moat.runs import StudyFolder


@dataclass(frozen=True)
class Looks:
    """The looks of a group, whatever part of it a picture shows.

    `sweeps` are the known points of each variant, ascending, as their folders are called.
    """

    variants: Mapping[str, Look]
    objectives: Mapping[str, Look]
    sweeps: Mapping[str, Sequence[str]]
    studies: Sequence[str]

    def of(self, point: Point) -> Look:
        """Return the look of a run's setting: its variant's, by its place in a sweep.

        Of several studies all but the first have other dashes: their variants share names.
        """
        places = self.sweeps[point.variant]
        look = self.variants[point.variant].at(places.index(_place(point)), len(places))
        further = self.studies.index(point.study)
        return replace(look, dash=DASHES[(DASHES.index(look.dash) + further) % len(DASHES)])

    def of_objective(self, name: str) -> Look:
        """Return the look of an objective: natural, a threat or an ensemble."""
        return self.objectives.get(name) or OBJECTIVES.looks_of([*self.objectives, name])[name]

    def ordered(self, variants: Iterable[str]) -> list[str]:
        """Return variants in the order in which their studies plan them."""
        found = set(variants)
        return [name for name in self.variants if name in found]


def looks_of(points: Sequence[Point]) -> Looks:
    """Return the looks of some runs' names, all that is known of their studies considered.

    A study's variants come in the order in which they were first planned, then those that lie in
    its folder, then those at hand. So a picture of a part of a study has the looks of the whole.
    """
    roots = dict.fromkeys(filter(None, map(_root, points)))
    known = [found for root in roots for found in _of_study(root)]
    sweeps: dict[str, list[str]] = {}
    for variant, place in [*known, *((point.variant, _place(point)) for point in points)]:
        places = sweeps.setdefault(variant, [])
        if place is not None and place not in places:
            places.append(place)
    for places in sweeps.values():
        places.sort(key=_in_order)
    trained = [name for point in points for name in point.trains.get("threats", {})]
    objectives = OBJECTIVES.looks_of([*points[0].scored, *trained])
    studies = list(dict.fromkeys(point.study for point in points))
    return Looks(VARIANTS.looks_of(sweeps), objectives, sweeps, studies)


def _of_study(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the variants that a study's folder knows, and the points of their sweeps."""
    study = StudyFolder(root)
    with suppress(MoatError):  # a broken plan costs no picture
        yield from ((name, None) for name in study.variants())
        yield from _of_folders(Path(run["folder"]) for run in study.planned() or [])
    yield from _of_folders(run.path.relative_to(root) for run in study.runs())


def _of_folders(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if len(path.parts) in (2, 3):
            yield path.parts[0], path.parts[1] if len(path.parts) == 3 else ""


def _root(point: Point) -> Path | None:
    """Return the study's folder that a run lies in, None of one that lies elsewhere."""
    return next((above for above in point.folder.parents if above.name == point.study), None)


def _place(point: Point) -> str:
    """Return what tells a run's setting from its variant's others, as `moat train` calls it."""
    root = _root(point)
    if root and len(parts := point.folder.relative_to(root).parts) == 3:
        return parts[1]
    return ",".join(f"{key.rpartition('.')[2]}={value}" for key, value in point.sweep.items())


def _in_order(place: str) -> Any:
    return ascending(_number(part.partition("=")[2]) for part in place.split(","))


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
