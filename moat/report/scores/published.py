"""Figures that a paper prints, to be set beside a study's own."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from moat.errors import RunFolderError
from moat.records import Published
from moat.report.points import Point
from moat.runs import RunFolder


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
    try:
        return Published.model_validate(table)
    except ValidationError as error:
        raise RunFolderError(
            "its published figures are no table of a source and of runs with numbers.",
            where=str(folder.recipe),
            hint="`moat report --recipe FILE` takes them from another recipe.",
        ) from error
