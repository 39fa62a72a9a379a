"""The page's sections: one a group of comparable runs, with its front, tables and cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moat.names import NATURAL
from moat.report.front.drawn_choice import choice_caption
from moat.report.front.front import Front
from moat.report.front.notes import (
    choice_notes,
    hypervolume_text,
    rival_notes,
    standing_notes,
)
from moat.report.gate import gate_notes
from moat.report.groups import Group
from moat.report.notes import protocol_text
from moat.report.page.cards import Card, card_of
from moat.report.page.front_plot import front_plot
from moat.report.page.joined import StudyRecipe, study_recipes
from moat.report.page.looks_data import look_data
from moat.report.page.pictures import shown_galleries
from moat.report.page.sources import Sources, sources_of
from moat.report.page.tables import BoardTable, RunTable, board_table, run_table
from moat.report.rows import Row
from moat.report.scores.notes import board_notes
from moat.report.scores.scoreboard import Scoreboard
from moat.storage import Record


@dataclass(frozen=True, eq=False)
class Section:
    """One group: what its runs share, its front as data for the plot, its tables, its cards."""

    number: int
    group: Group
    protocol: str
    gate: str
    notes: list[str]
    recipes: list[StudyRecipe]
    plot: Record
    looks: Record  # of the objectives, for the cards' plots
    caption: str
    bars: bool  # whether points have intervals
    board: BoardTable
    runs: RunTable
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


def _objective_looks(group: Group, cards: Sequence[Card]) -> Record:
    """Return how each objective looks that a card's plot may show."""
    curves = (card.data["curves"][kind] for card in cards for kind in _CURVES)
    names = dict.fromkeys([NATURAL, *group.scored, *(name for each in curves for name in each)])
    return {name: look_data(group.looks.of_objective(name)) for name in names}


_CURVES = ("losses", "weights", "validation")


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
        plot=front_plot(front, numbers),
        looks=_objective_looks(board.group, cards),
        caption=f"{hypervolume_text(front)} {choice_caption(front)}".rstrip(),
        bars=front.uncertainty is not None,
        board=board_table(board, front, numbers),
        runs=run_table(front, numbers),
        cards=cards,
    )
