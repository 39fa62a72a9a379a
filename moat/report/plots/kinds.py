"""Every kind of figure, one set for each group of comparable runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from moat.errors import MoatError, PlotError, did_you_mean
from moat.names import NATURAL
from moat.own_files import PICTURE_ENDINGS
from moat.records import Relationship
from moat.report.front.figure import draw_front
from moat.report.front.front import front_of
from moat.report.front.objectives import threat_title
from moat.report.front.pairs import draw_pairs
from moat.report.groups import Group
from moat.report.manifest import write_files
from moat.report.plots.cost import draw_cost
from moat.report.plots.difference import draw_difference
from moat.report.plots.parallel import draw_parallel
from moat.report.plots.radar import draw_radar
from moat.report.plots.relationship import draw_relationship
from moat.report.plots.strengths import draw_strengths
from moat.report.plots.training import draw_training
from moat.report.recipe_tables import FIGURE_TYPES, RecipeFigure, figures_by
from moat.report.settings import Runs, read_runs, settings_of
from moat.report.style import render

Draw = Callable[[], Figure]


@dataclass
class Plots:
    """Pictures by file name, omitted ones with the reason, and broken runs."""

    kinds: tuple[str, ...]
    figures: dict[str, Figure] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def draw_usual_front(runs: Runs) -> Figure:
    """Return the picture of the group's usual front, as `moat front` draws it."""
    return draw_front(front_of(runs.group))


def draw_all_pairs(runs: Runs) -> Figure:
    """Return natural accuracy and every score against one another, two at a time."""
    names = [
        threat_title(name)
        for name in runs.group.scored
        if all(point.scores[name] is not None for point in runs.group.points)
    ]
    if len(names) < 2:
        raise PlotError("two scores form a single pair; see the front.")
    return draw_pairs(front_of(runs.group, [NATURAL, *names]))


OF_GROUPS: dict[str, Callable[[Runs], Figure]] = {
    "front": draw_usual_front,
    "pairs": draw_all_pairs,
    "parallel": draw_parallel,
    "radar": draw_radar,
    "training": draw_training,
    "strengths": draw_strengths,
    "cost": draw_cost,
}
KINDS = (*OF_GROUPS, *FIGURE_TYPES)


def make_plots(
    results: Sequence[Path],
    kinds: Sequence[str] = (),
    figures: Sequence[RecipeFigure] | None = None,
) -> Plots:
    """Draw the named kinds, or all, of the finished runs in some folders, a set for each group.

    `figures` replace those of the runs' own recipes. Raises PlotError for an unknown kind; a
    picture that these runs do not support is omitted, with the reason.
    """
    _require_kinds(kinds)
    groups, skipped = read_runs(results)
    plots = Plots(tuple(kind for kind in KINDS if kind in kinds or not kinds), skipped=skipped)
    declared = [_declared(runs, figures, plots) for runs in groups]
    for kind in plots.kinds:
        if kind in OF_GROUPS:
            draws = [(runs, _of_group(kind, runs)) for runs in groups]
        else:
            draws = [
                (runs, _of_recipe(runs, study, figure))
                for runs, studies in zip(groups, declared, strict=True)
                for study, of_study in studies.items()
                for figure in of_study
                if isinstance(figure, FIGURE_TYPES[kind])
            ]
        _draw(kind, draws, plots)
    return plots


def draw_kind(kind: str, group: Group) -> Figure:
    """Draw one kind of a group's runs; of several declared figures the first.

    PlotError for a kind that nobody draws, and for what these runs do not support.
    """
    _require_kinds([kind])
    runs = Runs(group, tuple(settings_of(group)))
    if kind in OF_GROUPS:
        return OF_GROUPS[kind](runs)
    declared, _ = figures_by(runs.group.points)
    for study, figures in declared.items():
        for figure in figures:
            if isinstance(figure, FIGURE_TYPES[kind]):
                return _of_recipe(runs, study, figure)()
    raise PlotError(f"{kind}: no recipe of these runs has a [[figure]] of this type.")


def write_plots(plots: Plots, folder: Path) -> list[Path]:
    """Write each picture as PNG and SVG and return the paths.

    The pictures of a kind are numbered by group if there may be several. Pictures of the same kinds
    from an earlier call that this one does not write are deleted; a user's own picture stays, and
    DiskError refuses to write over it.
    """
    files: dict[str, str | bytes] = {
        f"{name}.{format}": render(figure, format)
        for name, figure in plots.figures.items()
        for format in PICTURE_ENDINGS
    }
    return write_files(files, folder, plots.kinds, PICTURE_ENDINGS)


def _require_kinds(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise PlotError(
                f"no picture is called {kind!r}.{did_you_mean(kind, KINDS)}",
                where="kind",
                hint=f"known: {', '.join(KINDS)}",
            )


def _draw(kind: str, draws: Sequence[tuple[Runs, Draw]], plots: Plots) -> None:
    if not draws:
        plots.missing.append(f"{kind}: no recipe of these runs has a [[figure]] of this type.")
    for number, (runs, draw) in enumerate(draws, 1):
        name = f"{kind}-{number}" if len(draws) > 1 else kind
        try:
            plots.figures[name] = draw()
        except MoatError as error:
            reason = " ".join([error.message, *error.hint.splitlines()])
            plots.missing.append(f"{name} of {runs.group.title}: {reason}")


def _of_group(kind: str, runs: Runs) -> Draw:
    return lambda: OF_GROUPS[kind](runs)


def _of_recipe(runs: Runs, study: str, figure: RecipeFigure) -> Draw:
    if isinstance(figure, Relationship):
        return lambda: draw_relationship(runs, study, figure)
    return lambda: draw_difference(runs, study, figure)


def _declared(
    runs: Runs, figures: Sequence[RecipeFigure] | None, plots: Plots
) -> Mapping[str, Sequence[RecipeFigure]]:
    """Return the figures of each study of a group; tell of the recipes that are broken."""
    if figures is not None:
        return dict.fromkeys(runs.group.studies, figures)
    if not set(FIGURE_TYPES) & set(plots.kinds):
        return {}
    declared, broken = figures_by(runs.group.points)
    plots.skipped += broken
    return declared
