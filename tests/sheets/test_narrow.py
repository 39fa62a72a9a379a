from functools import partial

import pytest

from moat.sheets import Sheet, narrowed, terminal_of

SHEET = Sheet(
    headings=("run", "a\nb", "second", "third"),
    rows=(("a long name", "1", "2", "3"), ("another", "4", "5", "6")),
    sides="lnnr",
    marks=("", "", "odd", ""),
    notes=("A note.",),
)


@pytest.mark.parametrize(
    ("width", "headings", "gone"),
    [
        (80, ("run", "a\nb", "second", "third"), None),
        (27, ("run", "a\nb", "second"), "third"),
        (20, ("run", "second"), "third, a b"),
        (5, SHEET.headings, None),
    ],
)
def test_columns_are_left_out_until_a_sheet_fits(width, headings, gone):
    shown = narrowed(SHEET, width, ("unknown", "third", "a\nb"), partial(terminal_of, gap=1))
    assert shown.sheet.headings == headings
    assert shown.width <= width or gone is None
    notes = [] if gone is None else [f"Omitted for lack of room: {gone}."]
    assert list(shown.sheet.notes) == ["A note.", *notes]
    assert [len(row) for row in shown.sheet.rows] == [len(headings)] * 2
    assert dict(zip(shown.sheet.headings, shown.sheet.marks, strict=True))["second"] == "odd"
