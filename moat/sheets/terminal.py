"""A sheet in a terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moat.sheets.sheet import FAINT, STRONG, Sheet

_STYLES = {STRONG: "bold", FAINT: "dim", "": ""}
_NARROWEST = 5  # cells of a column of numbers


def terminal_of(
    sheet: Sheet, *, gap: int = 1, room: int | None = None, stacked: bool = False
) -> Table:
    """Return a sheet as a table of rich's, its title above and its notes below.

    Between two columns are `gap` cells, and a column but the first takes at most `room`. `stacked`
    puts a heading's words below one another.
    """
    table = Table(
        title=Text(sheet.title) if sheet.title else None,
        caption=Text("\n".join(sheet.notes)) if sheet.notes else None,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, gap, 0, 0),
        pad_edge=False,
    )
    for place, side in enumerate(sheet.sides):
        table.add_column(
            _heading(sheet, place, stacked and place > 0),
            justify="left" if side == "l" else "right",
            overflow="fold",
            no_wrap=side == "n",
            min_width=_NARROWEST if side == "n" else None,
            max_width=room if place else None,
        )
    for place, row in enumerate(sheet.rows):
        if place in sheet.sections:
            table.add_section()
        table.add_row(*map(Text, row), style=_STYLES[sheet.emphasis_of(place)])
    return table


def _heading(sheet: Sheet, place: int, stacked: bool) -> Text:
    lines = [sheet.headings[place], sheet.mark_of(place)]
    apart = ["\n".join(line.split(" ")) if stacked else line for line in lines]
    text = Text(apart[0])
    return text.append(f"\n{apart[1]}", style="red") if apart[1] else text


def width_of(table: Table) -> int:
    """Return how many cells of a terminal a table takes where there is room for all of it."""
    return Console(width=100_000).measure(table).maximum
