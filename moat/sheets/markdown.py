"""A sheet as a table of GitHub's Markdown."""

import re

from moat.sheets.sheet import STRONG, Sheet

_MARKS = re.compile(r"[\\|`*<\[\]~$]|\b_|_\b|&(?=[\w#]+;)")


def markdown_of(sheet: Sheet) -> str:
    """Return title, table and notes; the first cell of a strong row is bold."""
    rule = ["---" if side == "l" else "---:" for side in sheet.sides]
    rows = [
        [_cell(text, sheet.emphasis_of(row) == STRONG and not place) for place, text in cells]
        for row, cells in enumerate(map(enumerate, sheet.rows))
    ]
    headings = [_heading(sheet, place) for place in range(len(sheet.headings))]
    lines = [headings, rule, *rows]
    parts = [f"# {escaped(sheet.title)}"] if sheet.title else []
    parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if sheet.notes:
        parts.append("\n".join(f"- {escaped(note)}" for note in sheet.notes))
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it stands, in one line: also in a table's cell."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _heading(sheet: Sheet, place: int) -> str:
    mark = sheet.mark_of(place)
    return escaped(sheet.headings[place]) + (f" **{escaped(mark)}**" if mark else "")


def _cell(text: str, strong: bool) -> str:
    return f"**{escaped(text)}**" if strong else escaped(text)
