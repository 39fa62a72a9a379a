"""The page's two tables: the scores with the seeds together, and every run by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from moat.report.front.front import Front
from moat.report.front.objectives import OUT_OF_REACH
from moat.report.gate import worst_verdict
from moat.report.numbers import ABSENT, as_printed, decimals, gap, percent
from moat.report.rows import Row
from moat.report.scores.lines import guess_words
from moat.report.scores.scoreboard import Cell, Scoreboard, board_values
from moat.report.settings import rows_in


@dataclass(frozen=True)
class Shown:
    """A cell: its text, the number that it is sorted by, and what stands below it."""

    text: str
    value: float | None = None
    published: str = ""
    difference: str = ""


@dataclass(frozen=True)
class BoardLine:
    """One column of a scoreboard as a line: its name, its runs by number and seed, its scores.

    And whether its setting is on the front, or by which other it is dominated.
    """

    name: str
    guess: str
    rival: tuple[int, str] | None
    runs: tuple[tuple[int, int], ...]
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class BoardTable:
    """A scoreboard turned about: a line for each of its columns, so that scores can be sorted."""

    scores: tuple[str, ...]
    lines: tuple[BoardLine, ...]
    seeds: bool  # whether a line has several
    published: bool  # whether a cell has a published figure


@dataclass(frozen=True)
class RunLine:
    """One run: its number, its scores, by which other run it is dominated, its gate."""

    number: int
    name: str
    rival: tuple[int, str] | None
    cells: tuple[Shown, ...]
    gate: str


@dataclass(frozen=True)
class RunTable:
    """Every run of a front, those of members first; of `several` seeds no run bears its mark."""

    scores: tuple[str, ...]
    lines: tuple[RunLine, ...]
    several: bool


def board_table(board: Scoreboard, front: Front, numbers: Mapping[str, int]) -> BoardTable:
    """Return a line for each column of a scoreboard, each a setting of the front."""
    places = {setting.first.where: place for place, setting in enumerate(front.settings)}
    every = [cell.published for cells in board.cells.values() for cell in cells]
    figures = [figure for figure in every if figure is not None]
    digits = decimals(figures)
    lines = [
        BoardLine(
            name=column.name,
            guess=" ".join(guess_words(column)),
            rival=_rival(front, places[column.first.where], numbers),
            runs=tuple((numbers[point.where], point.seed) for point in column.points),
            cells=tuple(_cell(cells[place], digits) for cells in board.cells.values()),
        )
        for place, column in enumerate(board.columns)
    ]
    seeds = any(len(line.runs) > 1 for line in lines)
    return BoardTable(tuple(board.cells), tuple(lines), seeds, bool(figures))


def run_table(front: Front, numbers: Mapping[str, int]) -> RunTable:
    """Return a line for each run of a front."""
    rows = rows_in(front.settings)
    values = [board_values(row) for row in rows]
    shared = any(of_run[OUT_OF_REACH] is not None for of_run in values)
    scores = [name for name in values[0] if name != OUT_OF_REACH or shared]
    lines = [
        RunLine(
            number=numbers[row.point.where],
            name=row.name,
            rival=_numbered(front.runs_dominated_by[row.point.where], numbers),
            cells=tuple(Shown(percent(of_run[name]), of_run[name]) for name in scores),
            gate=worst_verdict(row.point) or ABSENT,
        )
        for row, of_run in zip(rows, values, strict=True)
    ]
    return RunTable(tuple(scores), tuple(lines), front.several_seeds)


def standing(front: Front, place: int) -> str:
    """Return in words whether a setting is on the front, and else which one dominates it."""
    rival = front.dominated_by[place]
    return "on the front" if rival is None else f"dominated by {front.settings[rival].name}"


def run_standing(front: Front, place: int, row: Row) -> str:
    """Return the same of a run of a setting, and of several seeds where both of them stand."""
    seeds = len(front.settings[place].rows)
    if seeds == 1:
        return standing(front, place)
    rival = front.runs_dominated_by[row.point.where]
    own = "no other run dominates it" if rival is None else f"dominated by {rival.name}"
    return f"{own}; its setting, the mean of {seeds} seeds, is {standing(front, place)}"


def _numbered(row: Row | None, numbers: Mapping[str, int]) -> tuple[int, str] | None:
    return None if row is None else (numbers[row.point.where], row.name)


def _rival(front: Front, place: int, numbers: Mapping[str, int]) -> tuple[int, str] | None:
    rival = front.dominated_by[place]
    if rival is None:
        return None
    setting = front.settings[rival]
    return numbers[setting.first.where], setting.name


def _cell(cell: Cell, digits: int) -> Shown:
    if cell.published is None:
        return Shown(cell.text, cell.mean)
    return Shown(cell.text, cell.mean, as_printed(cell.published, digits), gap(cell.difference))
