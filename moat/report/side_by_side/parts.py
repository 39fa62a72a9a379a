"""The parts of a comparison of runs, in order: for the terminal, Markdown and LaTeX alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.sheets import (
    FEW_IDS,
    counts_sheet,
    ids_sheet,
    keys_sheet,
    runs_sheet,
    scores_sheet,
    whole_tables,
)
from moat.report.side_by_side.words import (
    BESIDES,
    COUNTS,
    OTHERWISE,
    SAME_RECIPE,
    WHICH,
    comparison_notes,
    scores_title,
    title_of,
)
from moat.sheets import Sheet, TerminalSheet, blocks, escaped, markdown_of, terminal_of

_NARROWEST = 12  # cells of a terminal that a value of a recipe gets at least


@dataclass(frozen=True)
class Part:
    """A table under a title, which can be cut into several: `made` takes some of the `places`.

    `longest` is that of the keys whose values the terminal may cut, 0 of a table without any;
    `below` are lines of text.
    """

    title: str
    made: Callable[[Sequence[int]], Sheet]
    places: range
    longest: int = 0
    below: tuple[str, ...] = ()

    @property
    def sheet(self) -> Sheet:
        """The whole table."""
        return self.made(self.places)


def tables_of(comparison: RunComparison, most_ids: int | None = FEW_IDS) -> list[Part]:
    """Return the tables of a comparison but for the first; without scores where these are refused.

    At most so many ids of examples are named.
    """
    others = range(1, len(comparison.runs))
    parts = [
        _keys(title, comparison, found)
        for title, found in ((OTHERWISE, comparison.recipe), (BESIDES, comparison.circumstances))
        if found
    ]
    if comparison.refusal is None:
        scores = partial(scores_sheet, comparison)
        counts = partial(counts_sheet, comparison)
        ids = ids_sheet(comparison, most_ids)
        parts.append(Part(scores_title(comparison), scores, others))
        parts.append(Part(COUNTS, counts, range(len(comparison.withstood))))
        parts += [Part(WHICH, lambda _: ids, range(1))] if ids.rows else []
    return parts


def comparison_shown(
    comparison: RunComparison, width: int, all_ids: bool = False, *, brief: bool = False
) -> Group:
    """Return the runs, the differences in training, the scores, the examples, and the notes.

    What does not fit side by side stands in tables one below another, the reference in each.
    """
    parts: list[RenderableType] = [Text(title_of(comparison), style="italic")]
    parts += [_terminal(runs_sheet(comparison)), ""]
    if not comparison.recipe:
        parts += [Text(SAME_RECIPE), ""]
    for part in tables_of(comparison, None if all_ids else FEW_IDS):
        parts += [Text(part.title, style="bold"), *_fitting(part, width)]
        if part.below:
            parts += [Text("\n".join(part.below), style="dim"), ""]
    if comparison.refusal:
        return Group(*parts[:-1])
    said = comparison_notes(comparison, all_ids, brief=brief)
    return Group(*parts, Text("\n".join(said), style="dim"))


def comparison_markdown(comparison: RunComparison) -> str:
    """Return the runs, what differs, the scores, the examples, and the notes."""
    parts = [f"# {escaped(title_of(comparison))}", markdown_of(runs_sheet(comparison))]
    if not comparison.recipe:
        parts += [f"## {OTHERWISE}", SAME_RECIPE]
    for part in tables_of(comparison):
        parts += [f"## {part.title}", markdown_of(part.sheet)]
        if part.below:
            parts.append("\n".join(f"- {escaped(line)}" for line in part.below))
    if comparison.refusal:
        parts += ["## Scores", escaped(str(comparison.refusal))]
    else:
        notes = comparison_notes(comparison, all_ids=True)
        notes.append("compare-examples.csv has every example.")
        parts.append("\n".join(f"- {escaped(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


def all_sheets(comparison: RunComparison) -> list[Sheet]:
    """Return every table of a comparison."""
    return [runs_sheet(comparison), *(part.sheet for part in tables_of(comparison))]


def _keys(title: str, comparison: RunComparison, found: Mapping[str, tuple[Any, ...]]) -> Part:
    """Return the keys in which runs differ, and below them what whole tables say."""
    made = partial(keys_sheet, comparison, found)
    others = range(1, len(comparison.runs))
    return Part(title, made, others, max(map(len, found)), tuple(whole_tables(found)))


def _fitting(whole: Part, width: int) -> Iterator[RenderableType]:
    """Yield the fewest tables that fit, each of some of the places, with a line after each."""
    room = max(_NARROWEST, (width - whole.longest - 6) // 2) if whole.longest else None

    def made(some: range) -> TerminalSheet:
        return _terminal(whole.made(whole.places[some.start : some.stop]), room)

    for some in blocks(len(whole.places), lambda some: made(some).width <= width):
        yield made(some)
        yield ""


def _terminal(sheet: Sheet, room: int | None = None) -> TerminalSheet:
    return terminal_of(sheet, gap=2, room=room, stacked=True)
