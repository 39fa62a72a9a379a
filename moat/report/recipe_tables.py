"""A paper's figures, and figures to draw, from the recipes of runs.

These tables belong to no run's identity: a run that was finished before one was added or changed
keeps the old one, or none. A run whose recipe is broken keeps its scores.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from moat.errors import RunFolderError
from moat.records import Difference, Figures, Published, Relationship
from moat.report.points import Point
from moat.runs import RunFolder

RecipeFigure = Relationship | Difference
FIGURE_TYPES: dict[str, type[RecipeFigure]] = {
    "relationship": Relationship,
    "difference": Difference,
}
_Kept = TypeVar("_Kept")


def published_by(points: Sequence[Point]) -> tuple[dict[str, Published], list[str]]:
    """Return what each run's own recipe states, by the run's folder, and which are broken."""
    read, broken = _read(points, published_in)
    return {point.where: table for point, table in read if table is not None}, broken


def published_in(folder: RunFolder) -> Published | None:
    """Return the published figures that the recipe of a run states, None where it states none."""
    table = (folder.read_recipe() or {}).get("published")
    if table is None:
        return None
    try:
        return Published.model_validate(table)
    except ValidationError as error:
        raise RunFolderError(
            "its published figures are not a table of a source and of runs with numbers.",
            where=str(folder.recipe),
            hint="`moat report --recipe FILE` takes them from another recipe.",
        ) from error


def figures_by(points: Sequence[Point]) -> tuple[dict[str, list[RecipeFigure]], list[str]]:
    """Return what the recipes of runs declare, by study, each once, and which are broken."""
    read, broken = _read(points, figures_in)
    declared: dict[str, list[RecipeFigure]] = {point.study: [] for point in points}
    for point, figures in read:
        of_study = declared[point.study]
        of_study += [figure for figure in figures if figure not in of_study]
    return declared, broken


def figures_in(folder: RunFolder) -> list[RecipeFigure]:
    """Return the figures that the recipe of a run declares."""
    tables = (folder.read_recipe() or {}).get("figure", [])
    try:
        return list(Figures(figure=tables).figure)
    except ValidationError as error:
        raise RunFolderError(
            "its figures are not tables of a known type with the keys of that type.",
            where=str(folder.recipe),
            hint="`moat plot --recipe FILE` takes them from another recipe.",
        ) from error


def _read(
    points: Sequence[Point], read: Callable[[RunFolder], _Kept]
) -> tuple[list[tuple[Point, _Kept]], list[str]]:
    found, broken = [], []
    for point in points:
        try:
            found.append((point, read(RunFolder(point.folder))))
        except RunFolderError as error:
            broken.append(str(error))
    return found, broken
