"""The layout of Table 1: scores down, runs across, a paper's figures beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from moat.names import NATURAL
from moat.records import Published
from moat.report.differences import Differences, differences_to, require_baseline
from moat.report.front.objectives import (
    OUT_OF_REACH,
    SCORES,
    Objective,
    robustness,
    threat_title,
)
from moat.report.groups import Group, group_points
from moat.report.intervals import SEEDS, Interval, score_intervals
from moat.report.numbers import between, finite
from moat.report.order import in_order_of
from moat.report.points import Point, read_points
from moat.report.recipe_tables import published_by
from moat.report.rows import Row
from moat.report.settings import Setting, rows_in, settings_of


@dataclass(frozen=True)
class Cell:
    """One score of one column: what each seed came to, and what the paper prints."""

    values: tuple[float, ...]  # percent; none where the score is absent
    published: float | None = None
    interval: Interval | None = None

    @property
    def mean(self) -> float | None:
        """The mean over the seeds."""
        return fmean(self.values) if self.values else None

    @property
    def text(self) -> str:
        """The mean, of three seeds or more with its interval."""
        if self.interval is None or self.interval.over != SEEDS:
            return between(self.mean, None, None)
        return between(self.mean, self.interval.low, self.interval.high)

    @property
    def difference(self) -> float | None:
        """Our figure less the published one, None if either is absent."""
        mean = self.mean
        return None if mean is None or self.published is None else mean - self.published


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """One group's scores: `cells` holds one cell for each score and column."""

    group: Group
    columns: tuple[Setting, ...]
    cells: dict[str, tuple[Cell, ...]]
    sources: tuple[str, ...]  # of each column's published figures; "" where it has none
    stated: tuple[Published, ...]  # the different tables that the runs' recipes state
    differences: Differences | None = None  # to a baseline

    @property
    def rows(self) -> list[Row]:
        """Every run, column by column."""
        return rows_in(self.columns)


@dataclass(frozen=True)
class ScoreReport:
    """One scoreboard for each group, and the messages of missing runs and published figures."""

    boards: list[Scoreboard]
    skipped: list[str]  # of runs that could not be read
    uncompared: list[str]  # of runs whose own published figures could not be read

    @property
    def messages(self) -> list[str]:
        """Every message, after what became of its run."""
        return [
            *(f"skipped: {message}" for message in self.skipped),
            *(f"not compared: {message}" for message in self.uncompared),
        ]


def make_scoreboards(
    results: Path | Sequence[Path],
    published: Published | None = None,
    variants: Sequence[str] = (),
    sort: str | None = None,
    baseline: str | None = None,
) -> ScoreReport:
    """Read every finished run in some folders; make a scoreboard for each comparable group.

    The published figures are those of the runs' own recipes, unless others are given; `variants`
    gives the order of the columns, or `sort` a cost ("passes", "seconds", ...) or a score.
    `baseline` names the column that the others are compared with, in place of the usual one.
    """
    folders = [results] if isinstance(results, Path) else results
    points, skipped = read_points(*folders)
    if published is None:
        stated, uncompared = published_by(points)
    else:
        stated, uncompared = {point.where: published for point in points}, []
    groups = group_points(points)
    boards = [scoreboard_of(group, stated, variants, sort, baseline) for group in groups]
    if baseline is not None and not any(board.differences for board in boards):
        require_baseline([column for board in boards for column in board.columns], baseline)
    return ScoreReport(boards, skipped, uncompared)


def scoreboard_of(
    group: Group,
    stated: Mapping[str, Published],
    variants: Sequence[str] = (),
    sort: str | None = None,
    baseline: str | None = None,
) -> Scoreboard:
    """Return a group's scoreboard beside what the recipes of its runs state, by their folders."""
    tables: list[Published] = []
    for point in group.points:
        if point.where in stated and stated[point.where] not in tables:
            tables.append(stated[point.where])
    named = [variant for table in tables for variant in table.variants]
    usual = settings_of(group)  # whose first average is the baseline, whatever order is shown
    settings = settings_of(group, variants or named) if variants or named else usual
    differences = differences_to(usual, baseline)
    columns = in_order_of(sort, settings, group)
    beside = [_table_for(column, group, stated) for column in columns]
    objectives = board_objectives(columns[0].first)
    each = [
        _cells(column, table, objectives) for column, table in zip(columns, beside, strict=True)
    ]
    cells = {score: tuple(of_column[score] for of_column in each) for score in each[0]}
    if not any(cell.values for cell in cells[OUT_OF_REACH]):
        del cells[OUT_OF_REACH]
    sources = tuple(table.source if table else "" for table in beside)
    return Scoreboard(group, tuple(columns), cells, sources, tuple(tables), differences)


def board_values(row: Row) -> dict[str, float | None]:
    """Return the scores of a run, in percent, in the order of Table 1's rows."""
    scores = {name: objective.value(row) for name, objective in board_objectives(row.point).items()}
    return {**scores, OUT_OF_REACH: row.point.out_of_reach}


def board_objectives(point: Point) -> dict[str, Objective]:
    """Return what the scores are of that are means over test examples, under the same names.

    A threat that is called as one of the other scores says that it is a threat.
    """
    robust = {threat_title(name): robustness(name) for name in point.scored}
    others = {name: SCORES[name] for name in ("universal", "total", "union")}
    return {NATURAL: SCORES[NATURAL], **robust, **others}


def _table_for(column: Setting, group: Group, stated: Mapping[str, Published]) -> Published | None:
    """Return the table that names a column: its own runs' before that of another of its study."""
    first = column.first
    others = [point for point in group.points if point.study == first.study]
    for point in (*column.points, *others):
        table = stated.get(point.where)
        if table is not None and first.label in table.runs:
            return table
    return None


def _cells(
    column: Setting, table: Published | None, objectives: Mapping[str, Objective]
) -> dict[str, Cell]:
    published = table.runs[column.first.label] if table else {}
    values = [board_values(row) for row in column.rows]
    intervals = score_intervals(column.rows, list(objectives.values()))
    known = dict(zip(objectives, intervals, strict=True))
    return {
        score: Cell(
            tuple(value for seed in values if (value := seed[score]) is not None),
            finite(published.get(score)),
            known.get(score),
        )
        for score in values[0]
    }
