"""The finished runs below some folders, as frames, fronts and figures.

Example:
    >>> from tempfile import TemporaryDirectory
    >>> import moat
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    >>> few = ["evaluation.examples=20"]
    >>> with TemporaryDirectory() as folder:
    ...     judged = moat.evaluate_model(
    ...         network, "protocols/digits", name="linear", overrides=few, results=folder
    ...     )
    ...     found = moat.results(folder)
    ...     found.runs.select("label", "examples").rows()
    [('linear', 20)]
    >>> found.scores["unit"].unique().sort().to_list()
    ['%', 'percentage points']
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from moat.errors import FrontError, InputError, PlotError, did_you_mean
from moat.frames.arguments import folder_of, name_list, name_of, places_as_typed, weight_table
from moat.frames.comparison import Comparison
from moat.frames.examples_frame import examples_frame
from moat.frames.front import ResultsFront
from moat.frames.runs_frame import runs_frame
from moat.frames.scores_frame import scores_frame
from moat.public import public
from moat.records import Analysis
from moat.report.curves import training_curves
from moat.report.evidence import outcomes_of
from moat.report.figures.finding import analyses_below
from moat.report.front.front import fronts_of
from moat.report.groups import Group, group_points, unequal_lines
from moat.report.looks import looks_of
from moat.report.points import Point, read_points
from moat.report.rows import Row, rows_of
from moat.report.words import some
from moat.runs import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as InteractiveFigure


@public
class Results:
    """The finished runs below some folders. `moat.results` opens them.

    Runs on the same data under the same protocol are comparable: they form a group. `front`, `plot`
    and `interactive` need one group; `groups` gives each group as its own Results.

    The scores come from stored outcomes, as in every command of moat: without a search, a training
    or torch.
    """

    def __init__(
        self, points: Sequence[Point], skipped: Sequence[str] = (), folders: Sequence[Path] = ()
    ) -> None:
        self._points, self._folders = tuple(points), tuple(folders)
        self.skipped = tuple(skipped)
        """Why runs below these folders could not be read."""

    @cached_property
    def _groups(self) -> list[Group]:
        return group_points(self._points)

    @cached_property
    def _rows(self) -> list[Row]:
        return [row for group in self._groups for row in rows_of(group)]

    @property
    def groups(self) -> tuple["Results", ...]:
        """The comparable runs, each group as Results of its own."""
        return tuple(Results(group.points, folders=self._folders) for group in self._groups)

    @cached_property
    def runs(self) -> pl.DataFrame:
        """A row for each run: names, settings, training, and the scores that sum it up."""
        return runs_frame(self._rows)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """A row for each run, threat, strength and score, with its 95 % interval over examples."""
        return scores_frame(self._rows)

    @cached_property
    @places_as_typed()
    def examples(self) -> pl.DataFrame:
        """A row for each run, test example and search: the outcome, and the highest loss found."""
        return examples_frame(
            (point.where, outcomes_of(RunFolder(point.folder), point.protocol_hash))
            for point in self._points
        )

    @cached_property
    @places_as_typed()
    def analyses(self) -> dict[str, Analysis]:
        """The analyses below these folders, as `moat analyze` wrote them, by place.

        A place is the path of NAME.json without its ending, relative to the folder, of several
        folders with its name. Raises RunFolderError for an analysis that cannot be read.
        """
        return {
            (place if len(self._folders) == 1 else f"{folder.name}/{place}"): analysis
            for folder in self._folders
            for place, analysis in analyses_below(folder).items()
        }

    @places_as_typed()
    def front(
        self,
        *,
        objectives: Sequence[str] = (),
        prefer: Mapping[str, float] | None = None,
        against: str | Path | None = None,
        baseline: str | None = None,
    ) -> ResultsFront:
        """Return the settings that no other dominates, as `moat front` does.

        `objectives` are names of scores, threats and ensembles; `prefer` gives scores their weights
        and names one run, chosen on held-out examples; `against` is another results folder;
        `baseline` is the setting that the `differences` are to. Raises FrontError for an unknown
        name and for runs that are not comparable; ArgumentError for an argument of another type.
        """
        names, weights = name_list(objectives, "objectives"), weight_table(prefer, "prefer")
        rival = None if against is None else folder_of(against, "against")
        against_setting = None if baseline is None else name_of(baseline, "baseline", [])
        (front,), _ = fronts_of([self._group], names, rival, weights, baseline=against_setting)
        return ResultsFront(front)

    @places_as_typed()
    def compare(self, *runs: str) -> Comparison:
        """Return runs beside the first of them, paired on the same examples.

        A run is named by its label if only one run has it ("average-at"), by its label and seed
        ("average-at seed 1"), or by its folder as in the column `run`. Raises InputError unless
        several runs are named.
        """
        from moat.report.side_by_side import compare_runs

        points = [self._named(name) for name in runs]
        for place, point in enumerate(points):
            if point in points[:place]:
                raise InputError(
                    f"the run {point.where} is named twice.",
                    hint="Name another run for the comparison.",
                )
        if len(points) < 2:
            raise InputError(
                f"a comparison needs two runs or more, not {len(points)}.",
                hint="Name the reference first, each by its own argument: compare('natural', "
                f"'average-at'). {self._known}",
            )
        compared = compare_runs([point.folder for point in points])
        if compared.refusal is not None:
            raise compared.refusal
        return Comparison(compared)

    @places_as_typed()
    def plot(self, kind: str) -> "Figure":
        """Return a picture as a matplotlib figure: one of the kinds that `moat plot` draws.

        Raises PlotError for an unknown kind, and for runs that do not support it.
        """
        from moat.report.plots.kinds import KINDS, draw_kind

        return draw_kind(name_of(kind, "kind", KINDS), self._group)

    @places_as_typed()
    def interactive(self, kind: str = "front", run: str = "") -> "InteractiveFigure":
        """Return a figure of the page of `moat report` as one of plotly's, for a notebook.

        It is the front, or a picture of one run, named as for `compare`: its `losses`, `weights`,
        `validation`, or accuracy against `steps` or `radius`. Raises PlotError for any other kind,
        and for a run without the data of the picture.
        """
        from plotly.graph_objects import Figure

        from moat.report.interactive import OF_RUNS, run_figure

        known = ["front", *OF_RUNS]
        if name_of(kind, "kind", known) not in known:
            raise PlotError(
                f"no interactive picture is called {kind!r}.{did_you_mean(kind, known)}",
                hint=f"known: {', '.join(known)}; `plot` draws the other kinds.",
            )
        if kind == "front":
            self._require_no_run(run)
            return self.front().interactive()
        if run == "":
            raise PlotError(
                f"{kind!r} is a picture of one run; name it.",
                where="run",
                hint=f"interactive({kind!r}, {self._points[0].label!r}), say. {self._known}",
            )
        point = self._named(run)
        curves = training_curves(RunFolder(point.folder).read_log())
        figure = run_figure(kind, point, curves, looks_of(self._points))
        if not figure["data"]:
            raise PlotError(f"the run {run!r} has no picture {kind}.", hint=_NOTHING[kind])
        return Figure(figure).update_layout(template="none")

    def _require_no_run(self, run: Any) -> None:
        if run != "":
            raise PlotError(
                "the front is of all runs, not of one.",
                where="run",
                hint=f"Leave it out, or name a kind of one run: {', '.join(_NOTHING)}",
            )

    @property
    def _group(self) -> Group:
        if len(self._groups) == 1:
            return self._groups[0]
        raise FrontError(
            f"these runs form {len(self._groups)} groups: scores on different data or under "
            "different protocols are not comparable.",
            hint="\n".join([*unequal_lines(self._groups), "`.groups` has each group alone."]),
        )

    def _named(self, name: str) -> Point:
        known: dict[str, list[Point]] = {}
        for point in self._points:
            names = (point.label, point.where, f"{point.label} seed {point.seed}")
            for called in dict.fromkeys(names):
                known.setdefault(called, []).append(point)
        found = known.get(name_of(name, "run", list(known)), [])
        if len(found) == 1:
            return found[0]
        if not found:
            raise InputError(
                f"no run is called {name!r}.{did_you_mean(name, known)}", hint=self._known
            )
        raise InputError(
            f"{len(found)} runs are called {name!r}.",
            hint="Name one: " + some([f"{p.label} seed {p.seed}" for p in found]),
        )

    @property
    def _known(self) -> str:
        return "known: " + some([point.where for point in self._points])

    def __repr__(self) -> str:
        studies = some(list(dict.fromkeys(point.study for point in self._points)))
        return f"Results of {len(self._points)} runs of {studies}"


_LOGGED = "Only a training logs it; `validation` also needs held-out examples."
_NOTHING = {
    **dict.fromkeys(("losses", "weights", "validation"), _LOGGED),
    "steps": "Its threats are searched at radii: `radius` shows these.",
    "radius": "Its threats are searched at counts of steps: `steps` shows these.",
}


@public
@places_as_typed()
def results(*folders: str | Path) -> Results:
    """Return the finished runs below some folders, as data.

    A run in two of them counts once. Raises FrontError for a folder without runs.

    `docs/results.md` has examples, which the suite runs.
    """
    for folder in folders:
        if not isinstance(folder, str | PathLike):
            raise FrontError(
                f"moat.results takes folders one by one, not {type(folder).__name__}.",
                hint='moat.results("results/first", "results/second"), or moat.results(*folders)',
            )
    if not folders:
        raise FrontError(
            "no results folder is named.", hint='moat.results("results/digits_pareto")'
        )
    places = [folder_of(folder, "folders") for folder in folders]
    points, skipped = read_points(*places)
    return Results(points, skipped, places)
