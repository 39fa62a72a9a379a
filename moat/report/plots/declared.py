"""The figures that recipes declare, as runs keep them."""

from typing import Any

from pydantic import ValidationError

from moat.errors import RunFolderError
from moat.records import Difference, Figures, Relationship
from moat.report.plots.runs import Runs
from moat.runs import RunFolder

DeclaredFigure = Relationship | Difference
TYPES: dict[str, type[DeclaredFigure]] = {"relationship": Relationship, "difference": Difference}


def declared_by(runs: Runs) -> tuple[dict[str, list[DeclaredFigure]], list[str]]:
    """Return what the recipes of a group's runs declare, by study, and which are broken.

    A figure belongs to no run's identity: a run that was finished before it was added or changed
    keeps the old one, or none.
    """
    declared: dict[str, list[DeclaredFigure]] = {}
    broken = []
    for point in runs.group.points:
        of_study = declared.setdefault(point.study, [])
        try:
            found = figures_in(RunFolder(point.folder))
        except RunFolderError as error:
            broken.append(str(error))
            continue
        of_study += [figure for figure in found if figure not in of_study]
    return declared, broken


def figures_in(folder: RunFolder) -> list[DeclaredFigure]:
    """Return the figures that the recipe of a run declares."""
    tables: Any = (folder.read_recipe() or {}).get("figure", [])
    try:
        return list(Figures(figure=tables).figure)
    except ValidationError as error:
        raise RunFolderError(
            "its figures are no tables of a known type with the keys of that type.",
            where=str(folder.recipe),
            hint="`moat plot --recipe FILE` takes them from another recipe.",
        ) from error
