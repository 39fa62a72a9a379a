"""Relationship and overfitting of a study's finished runs, from their stored outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from moat import analysis
from moat.analysis import Analysis, AnalysisSubject
from moat.errors import AnalysisError
from moat.outcomes import Outcomes
from moat.records import Difference, Relationship
from moat.records.figures import CONDITIONAL
from moat.report.groups import unequal_lines
from moat.report.plots.difference import paired_settings
from moat.report.plots.sweeps import Swept, key_text, swept
from moat.report.points import Point, described_type
from moat.report.recipe_tables import FIGURE_TYPES, RecipeFigure, figures_by
from moat.report.settings import Runs, Setting, read_runs
from moat.runs import RunFolder, opened, seen_from


def relationship_of(
    results: Sequence[Path], out: Path, figure: Relationship | None = None
) -> Analysis:
    """Return the relationship of a study's runs, as `moat.analysis.relationship` does.

    `figure` names the variant and its key; without one the runs' recipe does. Raises AnalysisError
    for runs of several studies, data sets or protocols, and PlotError for a variant that is missing
    or sweeps no such key.
    """
    runs, study = _runs_of(results)
    asked = figure or _declared(runs, study, "relationship")
    across = swept(runs, study, asked.variant, asked.across, asked.zero)
    found = analysis.relationship(
        dict(zip(strength_numbers(across), map(_by_seed, across.columns), strict=True)),
        threats=_threats(asked, runs),
        conditional=asked.measure == CONDITIONAL,
        strength=key_text(asked.across),
    )
    return _named(found, across.columns, out, asked, study)


def overfitting_of(
    results: Sequence[Path], out: Path, figure: Difference | None = None
) -> Analysis:
    """Return the overfitting of a study's runs, as `moat.analysis.overfitting` does.

    `figure` names both variants and the key; without one the runs' recipe does. Raises as
    `relationship_of`.
    """
    runs, study = _runs_of(results)
    asked = figure or _declared(runs, study, "difference")
    across, theirs = paired_settings(runs, study, asked)
    places = strength_numbers(across)
    found = analysis.overfitting(
        dict(zip(places, map(_by_seed, across.columns), strict=True)),
        dict(zip(places, map(_by_seed, theirs), strict=True)),
        threats=_threats(asked, runs),
        conditional=asked.measure == CONDITIONAL,
        strength=key_text(asked.across),
        wins=_wins(dict(zip(places, across.columns, strict=True))),
    )
    columns = dict.fromkeys([*across.columns, *theirs])
    return _named(found, list(columns), out, asked, study)


def _runs_of(results: Sequence[Path]) -> tuple[Runs, str]:
    """Return the comparable runs of one study; AnalysisError names the difference of others."""
    groups, _ = read_runs([opened(path) for path in results])
    if len(groups) > 1:
        raise AnalysisError(
            "the runs differ in their data or protocol, so they cannot be compared.",
            where="runs",
            hint="\n".join(unequal_lines([one.group for one in groups])),
        )
    (runs,) = groups
    studies = runs.group.studies
    if len(studies) > 1:
        raise AnalysisError(
            f"the runs belong to {len(studies)} studies: {', '.join(studies)}.",
            where="runs",
            hint="Name the folder of one.",
        )
    return runs, studies[0]


def _declared(runs: Runs, study: str, kind: str) -> Any:
    """Return the first figure of a kind that the recipes of the runs declare."""
    declared, _ = figures_by(runs.group.points)
    for figure in declared[study]:
        if isinstance(figure, FIGURE_TYPES[kind]):
            return figure
    raise AnalysisError(
        f"no recipe of these runs has a [[figure]] of the type {kind!r}.",
        where="runs",
        hint=f"Name its keys, {_KEYS[kind]}, or a recipe with one: --recipe FILE",
    )


def _threats(figure: RecipeFigure, runs: Runs) -> Sequence[str]:
    """Return the figure's threats; if it has none, all that have scores."""
    return figure.threats or runs.group.scored


def strength_numbers(across: Swept) -> list[float]:
    """Return the values of a swept key as numbers; AnalysisError for a value that is not one."""
    for value in across.values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise AnalysisError(
                f"{value!r} is not a number, so runs at it have no place along {across.key!r}.",
                where="across",
                hint="Name a swept key whose values grow, such as threats.pgd.train.steps.",
            )
    return [float(value) for value in across.values]


def _by_seed(setting: Setting) -> Mapping[int, Outcomes]:
    return {point.seed: point.outcomes for point in setting.points}


def _named(
    found: Analysis, columns: Sequence[Setting], out: Path, figure: RecipeFigure, study: str
) -> Analysis:
    """Return an analysis with its subjects, and the figure among its settings."""
    points = [point for column in columns for point in column.points]
    protocol = points[0].protocol_hash
    settings = {"study": study, "figure": figure.model_dump(mode="json"), "protocol": protocol}
    return replace(
        found,
        subjects=tuple(_subject(point, out) for point in points),
        settings={**found.settings, **settings},
    )


def _subject(point: Point, out: Path) -> AnalysisSubject:
    identity = {"data": str(point.data.get("digest", ""))}
    name = f"{point.label} seed {point.seed}"
    return AnalysisSubject(name, seen_from(point.folder, out), identity)


def _wins(columns: Mapping[float, Setting]) -> dict[float, dict[str, float]]:
    """Return the share of training examples that each threat won under `max`, in percent.

    It is the mean of the logged weights over the last epoch, and over the seeds.
    """
    found: dict[float, dict[str, float]] = {}
    for place, column in columns.items():
        each = [shares for point in column.points if (shares := _won(point))]
        names = dict.fromkeys(name for shares in each for name in shares)
        if each:
            found[place] = {n: fmean(s.get(n, 0.0) for s in each) for n in names}
    return found


def _won(point: Point) -> dict[str, float]:
    if described_type(point.trains.get("scalarizer")) != "max":
        return {}
    steps = [line for line in RunFolder(point.folder).read_log() if "weight" in line]
    last = [line["weight"] for line in steps if line.get("epoch") == steps[-1].get("epoch")]
    names = list(dict.fromkeys(name for weights in last for name in weights))
    return {name: 100 * fmean(weights.get(name) or 0.0 for weights in last) for name in names}


_KEYS = {
    "relationship": "--variant NAME --across KEY",
    "difference": "--of NAME --minus NAME --across KEY",
}
