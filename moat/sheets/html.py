"""A sheet as a table of HTML with sortable columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from moat.sheets.sheet import STRONG, Sheet

_Place = tuple[int, int]
"""Row and column of a cell."""


@dataclass(frozen=True)
class HtmlParts:
    """A page's additions to a sheet: `shown` replaces the text of a cell, with a link, say.

    `caption` is HTML as well, for readers of the page alone where it is `unseen`; `classes` are
    those of the table. `values` are what cells are sorted by, their text where none is given. A
    `sortable` table has a button in the heading of each column but the `unsorted` ones.
    """

    caption: str = ""
    unseen: bool = False
    classes: str = ""
    shown: Mapping[_Place, str] = field(default_factory=dict)
    values: Mapping[_Place, float | None] = field(default_factory=dict)
    sortable: bool = False
    unsorted: frozenset[int] = frozenset()


def html_of(sheet: Sheet, parts: HtmlParts | None = None) -> Markup:
    """Return a table: the first cell of a row is its heading, strong rows have the class member."""
    parts = parts or HtmlParts()
    sorts = [parts.sortable and place not in parts.unsorted for place in range(len(sheet.sides))]
    heads = [_heading(sheet, place, sorted_) for place, sorted_ in enumerate(sorts)]
    rows = [
        Markup('<tr class="member">' if sheet.emphasis_of(row) == STRONG else "<tr>")
        + Markup("").join(
            _cell(sheet, (row, column), parts, sorted_) for column, sorted_ in enumerate(sorts)
        )
        + Markup("</tr>\n")
        for row in range(len(sheet.rows))
    ]
    kind = Markup(' class="{}"').format(parts.classes) if parts.classes else Markup("")
    hidden = Markup(' class="visually-hidden"' if parts.unseen else "")
    caption = Markup("<caption{}>{}</caption>\n").format(hidden, Markup(parts.caption))
    return Markup("<table{}>\n{}<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>").format(
        kind, caption, Markup("").join(heads), Markup("").join(rows)
    )


def _heading(sheet: Sheet, place: int, is_sorted: bool) -> Markup:
    kind, name = _kind(sheet, place), sheet.headings[place]
    if not is_sorted:
        number = Markup(' class="number"' if kind == "number" else "")
        return Markup('<th scope="col"{}>{}</th>').format(number, name)
    return Markup(
        '<th scope="col" class="{0}" aria-sort="none">'
        '<button type="button" data-sort="{0}">{1}</button></th>'
    ).format(kind, name)


def _cell(sheet: Sheet, place: _Place, parts: HtmlParts, is_sorted: bool) -> Markup:
    row, column = place
    text = sheet.rows[row][column]
    shown = Markup(parts.shown[place]) if place in parts.shown else escape(text)
    number = Markup(' class="number"' if _kind(sheet, column) == "number" else "")
    by: object = text
    if place in parts.values:
        value = parts.values[place]
        by = "" if value is None else value
    key = Markup(' data-value="{}"').format(by) if is_sorted else Markup("")
    start, end = ('th scope="row"', "th") if not column else ("td", "td")
    return Markup("<{}{}{}>{}</{}>").format(Markup(start), number, key, shown, Markup(end))


def _kind(sheet: Sheet, column: int) -> str:
    return "text" if sheet.sides[column] == "l" else "number"
