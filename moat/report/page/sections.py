"""The page's sections, one for each group of comparable runs: front, tables and cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from moat.report.front.choice_marks import choice_caption
from moat.report.front.front import Front
from moat.report.front.notes import (
    choice_notes,
    hypervolume_text,
    rival_notes,
    standing_notes,
)
from moat.report.gate import gate_notes
from moat.report.groups import Group
from moat.report.interactive import PlotlyFigure, front_figure
from moat.report.notes import protocol_text
from moat.report.page.cards import Card, card_of
from moat.report.page.pictures import shown_galleries
from moat.report.page.sources import Sources, sources_of
from moat.report.page.study_recipe import StudyRecipe, study_recipes
from moat.report.page.tables import board_table, differences_html, runs_table
from moat.report.rows import Row
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.storage import Record


@dataclass(frozen=True, eq=False)
class Section:
    """One group: what its runs share, its front as a figure, its tables, its cards."""

    number: int
    group: Group
    protocol: str
    gate: str
    notes: list[str]
    recipes: list[StudyRecipe]
    objectives: list[str]
    figure: PlotlyFigure
    rival: str  # the name of another front on it, "" of none
    caption: str
    bars: bool  # whether points have intervals
    board: Markup
    differences: Markup  # to the baseline, "" without one
    runs: Markup
    seeds: bool  # whether a setting has several
    cards: list[Card]


def sections_of(
    boards: Sequence[Scoreboard], fronts: Sequence[Front], results: Path
) -> tuple[list[Section], list[str]]:
    """Return a section a scoreboard and its front, runs numbered through, and the pictures."""
    numbers = {row.point.where: n for n, row in enumerate(_rows(boards))}
    sources = {where: sources_of(results / where) for where in numbers}
    kept = {
        where: source.gallery for where, source in sources.items() if source.gallery is not None
    }
    protocols = {row.point.where: row.point.protocol for row in _rows(boards)}
    galleries, pictures = shown_galleries(kept, protocols)
    sections = [
        _section(place, board, front, results, numbers, sources, galleries)
        for place, (board, front) in enumerate(zip(boards, fronts, strict=True))
    ]
    return sections, pictures


def _rows(boards: Sequence[Scoreboard]) -> list[Row]:
    return [row for board in boards for row in board.rows]


def _section(
    place: int,
    board: Scoreboard,
    front: Front,
    results: Path,
    numbers: dict[str, int],
    sources: dict[str, Sources],
    galleries: dict[str, Record],
) -> Section:
    cards = [
        card_of(row, numbers, front, sources[row.point.where], results, galleries)
        for row in board.rows
    ]
    recipes = study_recipes(
        [
            (p.study, sources[p.where].recipe)
            for p in board.group.points
            if not sources[p.where].record.is_evaluation_alone
        ]
    )
    return Section(
        number=place,
        group=board.group,
        protocol=protocol_text(board.group),
        gate=gate_notes(board.group.points)[0],
        notes=[
            *board_notes(board),
            *standing_notes(front),
            *rival_notes(front),
            *choice_notes(front),
        ],
        recipes=recipes,
        objectives=[objective.name for objective in front.objectives],
        figure=front_figure(front, numbers),
        rival="" if front.rival is None else front.rival.folder.resolve().name,
        caption=f"{hypervolume_text(front)} {choice_caption(front)}".rstrip(),
        bars=front.uncertainty is not None,
        seeds=front.several_seeds,
        board=board_table(board, front, numbers),
        differences=differences_html(board),
        runs=runs_table(front, numbers),
        cards=cards,
    )
