"""A sheet in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from moat.sheets.sheet import FAINT, STRONG, Sheet

_STYLES = {STRONG: "bold", FAINT: "dim", "": "none"}
_NARROWEST = 5  # cells of a column of numbers


def terminal_of(
    sheet: Sheet,
    *,
    gap: int = 1,
    room: int | None = None,
    stacked: bool = False,
    prose: int = 0,
) -> "TerminalSheet":
    """Return a sheet for rich to print, its title above and its notes below.

    Between two columns are `gap` cells more than one, and a column but the first takes at most
    `room`. `stacked` puts a heading's words below one another. A line of notes takes `prose` cells,
    or those of the table where these are more.
    """
    return TerminalSheet(sheet, gap, room, stacked, prose)


@dataclass(frozen=True)
class TerminalSheet:
    """A sheet that rich prints: its rows a line each, or a table of rich's that wraps its cells."""

    sheet: Sheet
    gap: int
    room: int | None
    stacked: bool
    prose: int = 0

    @cached_property
    def width(self) -> int:
        """The number of a terminal's cells that it takes where there is room for all of it."""
        return int(sum(map(min, self._widths, self._most))) + len(self._widths) - 1

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        sheet = self.sheet
        if not self._is_plain or self.width > options.max_width:
            yield self._table()
            return
        yield self._head()  # rich takes a second for the lines of a thousand runs
        rule = SIMPLE_HEAD.get_row(self._widths, "row", edge=False)
        for place, row in enumerate(sheet.rows):
            if place in sheet.sections and place:
                yield Segment(f"{rule}\n")
            yield Segment(self._line(row), console.get_style(_STYLES[sheet.emphasis_of(place)]))
            yield Segment.line()
        if self._notes:
            below = options.update(width=max(self.width, self.prose), justify="left")
            yield from console.render(self._notes, below)

    def _line(self, row: Sequence[str]) -> str:
        cells = []
        for text, side, width, gap in zip(
            row, self.sheet.sides, self._widths, self._gaps, strict=True
        ):
            text = text.rstrip(" ")
            blank = " " * (width - gap - cell_len(text))
            cells.append((text + blank if side == "l" else blank + text) + " " * gap)
        return " ".join(cells)

    @cached_property
    def _is_plain(self) -> bool:
        """Whether each row is one line, whose columns are neither empty nor cut to their room."""
        widths = zip(self._gaps, self._widths, self._most, strict=True)
        return all(gap < have <= most for gap, have, most in widths) and all(
            text.isprintable() for row in self.sheet.rows for text in row
        )

    @cached_property
    def _gaps(self) -> list[int]:
        """The number of cells behind each column's text."""
        return [self.gap] * (len(self.sheet.headings) - 1) + [0]

    @cached_property
    def _widths(self) -> list[int]:
        """The number of cells of each column where there is room for its longest text."""
        longest = [_longest(self._heading(n).plain) for n in range(len(self.sheet.headings))]
        for row in self.sheet.rows:
            longest = [max(n, _longest(text)) for n, text in zip(longest, row, strict=True)]
        least = [_NARROWEST if side == "n" else 0 for side in self.sheet.sides]
        each = zip(longest, least, self._gaps, strict=True)
        return [max(found, narrowest) + gap for found, narrowest, gap in each]

    @cached_property
    def _most(self) -> list[float]:
        """The largest number of cells of each column."""
        others = self._gaps[1:]
        return [float("inf"), *((self.room or float("inf")) + gap for gap in others)]

    @property
    def _notes(self) -> Text:
        return Text("\n".join(self.sheet.notes))

    def _heading(self, place: int) -> Text:
        lines = [self.sheet.headings[place], self.sheet.mark_of(place)]
        stacked = self.stacked and place > 0
        apart = ["\n".join(line.split(" ")) if stacked else line for line in lines]
        text = Text(apart[0])
        return text.append(f"\n{apart[1]}", style="red") if apart[1] else text

    def _table(self) -> Table:
        table = self._head()
        table.caption = self._notes
        for column in table.columns:
            column.width = None
        for place, row in enumerate(self.sheet.rows):
            if place in self.sheet.sections:
                table.add_section()
            table.add_row(*map(Text, row), style=_STYLES[self.sheet.emphasis_of(place)])
        return table

    def _head(self) -> Table:
        """Return title and headings, each column as wide as its longest text."""
        table = Table(
            title=Text(self.sheet.title),
            title_justify="left",
            caption_justify="left",
            box=SIMPLE_HEAD,
            show_edge=False,
            padding=(0, self.gap, 0, 0),
            pad_edge=False,
        )
        for place, side in enumerate(self.sheet.sides):
            table.add_column(
                self._heading(place),
                justify="left" if side == "l" else "right",
                overflow="fold",
                no_wrap=side == "n",
                min_width=_NARROWEST if side == "n" else None,
                max_width=self.room if place else None,
                width=self._widths[place] - self._gaps[place],
            )
        return table


def _longest(text: str) -> int:
    return max(map(cell_len, text.splitlines()), default=0)
