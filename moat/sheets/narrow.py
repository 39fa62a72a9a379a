"""A sheet that omits columns, one after the other, until it fits a terminal."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from moat.sheets.sheet import Sheet
from moat.sheets.terminal import TerminalSheet


def narrowed(
    sheet: Sheet,
    width: int,
    spare: Sequence[str],
    shown: Callable[[Sheet], TerminalSheet],
) -> TerminalSheet:
    """Return a sheet for the terminal, without as many of the `spare` columns as need be.

    The columns are named by their headings, the one that can be spared most first; a note says
    which are missing. So no cell is broken where there is another way; where there is none, all
    columns stay.
    """
    gone: list[str] = []
    left = [name for name in spare if name in sheet.headings]
    found = shown(sheet)
    while found.width > width and left:
        gone.append(left.pop(0))
        found = shown(_without(sheet, gone))
    return found if found.width <= width else shown(sheet)


def _without(sheet: Sheet, gone: Sequence[str]) -> Sheet:
    kept = [place for place, name in enumerate(sheet.headings) if name not in gone]
    named = ", ".join(" ".join(name.split()) for name in gone)
    return replace(
        sheet,
        headings=tuple(sheet.headings[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in sheet.rows),
        sides="".join(sheet.sides[place] for place in kept),
        marks=tuple(sheet.marks[place] for place in kept) if sheet.marks else (),
        notes=(*sheet.notes, f"Omitted for lack of room: {named}."),
    )
