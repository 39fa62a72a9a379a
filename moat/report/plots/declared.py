"""The figures that recipes declare, as runs keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from moat.errors import RunFolderError
from moat.report.plots.runs import Runs
from moat.runs import RunFolder

CONDITIONAL = "conditional"


@dataclass(frozen=True)
class Relationship:
    """Figure 3: a variant's accuracy at each strength of each threat, across a key it sweeps.

    `zero` is a variant that stands at 0 of that key. The accuracy is that among the examples that
    are right to begin with, unless `measure` is "accuracy".
    """

    across: str
    variant: str
    zero: str | None = None
    threats: tuple[str, ...] = ()  # all, where none is named
    measure: str = CONDITIONAL


@dataclass(frozen=True)
class Difference:
    """Figure 6: by how much a variant's scores lie above another's, across a key that it sweeps."""

    across: str
    of: str
    minus: str
    threats: tuple[str, ...] = ()  # all, where none is named
    measure: str = "accuracy"


Declared = Relationship | Difference
TYPES: dict[str, type[Declared]] = {"relationship": Relationship, "difference": Difference}


def declared_by(runs: Runs) -> tuple[dict[str, list[Declared]], list[str]]:
    """Return what the recipes of a group's runs declare, by study, and which are broken.

    A figure belongs to no run's identity: a run that was finished before it was added or changed
    keeps the old one, or none.
    """
    declared: dict[str, list[Declared]] = {}
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


def figures_in(folder: RunFolder) -> list[Declared]:
    """Return the figures that the recipe of a run declares."""
    tables = (folder.read_recipe() or {}).get("figure", [])
    found = [_figure_of(table) for table in tables] if isinstance(tables, list) else [None]
    if None in found:
        raise RunFolderError(
            "its figures are no tables of a known type with the keys of that type.",
            where=str(folder.recipe),
            hint="`moat plot --recipe FILE` takes them from another recipe.",
        )
    return [figure for figure in found if figure is not None]


def figure_from(table: Mapping[str, Any]) -> Declared:
    """Return a figure from a recipe's table; KeyError or TypeError where it is no figure."""
    values = {key: value for key, value in table.items() if key != "type"}
    return TYPES[table["type"]](**{**values, "threats": tuple(values.get("threats", ()))})


def _figure_of(table: Any) -> Declared | None:
    """Return the figure, None of what is no table of a figure."""
    try:
        figure = figure_from(dict(table))
    except (KeyError, TypeError, ValueError):
        return None
    values = {field.name: getattr(figure, field.name) for field in fields(figure)}
    texts = [*values.pop("threats"), *(value for value in values.values() if value is not None)]
    return figure if all(isinstance(text, str) for text in texts) else None
