import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from moat.cli.formats import Format, sheet_text
from moat.sheets import FAINT, STRONG, HtmlParts, Sheet, html_of, latex_of, markdown_of, terminal_of
from moat.sheets.latex import in_latex

texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)


@st.composite
def sheets(draw):
    width = draw(st.integers(1, 4))
    row = st.tuples(*[texts] * width)
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return Sheet(
        headings=tuple(draw(st.lists(texts, min_size=width, max_size=width, unique=True))),
        rows=tuple(rows),
        sides=draw(st.text("lrn", min_size=width, max_size=width)),
        title=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        marks=draw(st.just(()) | st.tuples(*[texts] * width)),
        emphasis=draw(st.tuples(*[st.sampled_from(["", STRONG, FAINT])] * len(rows))),
        sections=frozenset(draw(st.sets(st.integers(0, len(rows) - 1)))),
    )


def cells_of(line):
    """Return the cells of a line of Markdown, a bar within a cell being escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]]


@given(sheets())
def test_every_form_has_every_row_and_cell(sheet):
    table = [line for line in markdown_of(sheet).splitlines() if line.startswith("|")]
    assert len(table) == len(sheet.rows) + 2
    latex = latex_of(sheet)
    assert latex.count(r" \\") == len(sheet.rows) + 1
    told = list(csv.reader(io.StringIO(sheet_text(sheet, Format.csv) + "\n")))
    assert len(told) == len(sheet.rows) + 1
    assert [list(row.values()) for row in json.loads(sheet_text(sheet, Format.json))] == [
        list(row) for row in sheet.rows
    ]


@given(sheets(), st.booleans())
def test_html_has_every_cell_as_its_text_and_nothing_of_it_is_markup(sheet, sortable):
    parser = Cells()
    parser.feed(str(html_of(sheet, HtmlParts(sortable=sortable))))
    head, *rows = parser.rows
    assert head == list(sheet.headings)
    assert rows == [list(row) for row in sheet.rows]
    assert parser.buttons == (len(sheet.headings) if sortable else 0)
    assert not sortable or parser.keys == [text for row in sheet.rows for text in row]


def test_a_cell_shows_the_link_that_a_page_gives_it_and_is_sorted_by_its_number():
    sheet = Sheet(("run", "score"), (("a", "1.0"), ("b", "-")), "lr", emphasis=(STRONG, ""))
    parts = HtmlParts(
        caption="All <b>runs</b>.",
        shown={(0, 0): '<a href="#a">a</a>'},
        values={(0, 1): 1.04, (1, 1): None},
        sortable=True,
        unsorted=frozenset({0}),
    )
    text = str(html_of(sheet, parts))
    for said in (
        "<caption>All <b>runs</b>.</caption>",
        '<tr class="member"><th scope="row"><a href="#a">a</a></th>',
        '<td class="number" data-value="1.04">1.0</td>',
        '<td class="number" data-value="">-</td>',
    ):
        assert said in text
    assert text.count("<button") == 1


class Cells(HTMLParser):
    """The texts of a table's cells, a list a row, what they are sorted by, and its buttons."""

    def __init__(self):
        super().__init__()
        self.rows, self.keys, self.buttons = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.keys += [value for name, value in attrs if name == "data-value"]
        self.buttons += tag == "button"

    def handle_data(self, data):
        if self.rows and self.rows[-1] and data != "\n":
            self.rows[-1][-1] += data


def in_terminal(table, width):
    """Return the letters that a terminal shows, each but a space with its style."""
    console = Console(
        width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(table)
    style, letters = "", []
    for code, letter in re.findall(r"\x1b\[([0-9;]*)m|(.|\n)", console.file.getvalue()):
        if letter:
            letters.append((letter, style if letter != " " else ""))
        else:
            style = code.strip("0")
    return letters


@given(sheets(), st.integers(0, 3), st.sampled_from([None, 3, 12]), st.booleans())
def test_a_terminal_shows_what_a_table_of_richs_would_show(sheet, gap, room, stacked):
    table = terminal_of(sheet, gap=gap, room=room, stacked=stacked)
    of_rich = table._table()
    for width in (10, 25, 200):
        assert in_terminal(table, width) == in_terminal(of_rich, width)
    if all(cell for row in sheet.rows for cell in row):
        assert table.width == Console(width=1000).measure(of_rich).maximum


@given(texts)
def test_no_sign_of_latex_is_left_unescaped(text):
    said = in_latex(text)
    for command in ("$\\", "$-$", "\\", "{}"):
        said = said.replace(command, " ")
    left = re.sub(r" (text\w+|varepsilon\$|r(ightarrow|ho)\$|\w+\$|[&%$#_{}])", "", said)
    assert not set("&%#_^~") & set(left)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        ("-3.5", "$-$3.5"),
        ("pgd-at r=-1", "pgd-at r=$-$1"),
        ("1-2", "1-2"),
        ("a → b ± 1", r"a $\rightarrow$ b $\pm$ 1"),
        ("{\\x}", r"\{\textbackslash{}x\}"),
        ("< pareto r=0.7", r"\textless{} pareto r=0.7"),
    ],
)
def test_signs_become_commands(text, said):
    assert in_latex(text) == said


def test_emphasis_marks_notes_and_rules_are_in_every_form():
    sheet = Sheet(
        headings=("run", "score"),
        rows=(("natural", "1.0"), ("pgd-at", "2.0")),
        sides="ln",
        title="Scores",
        notes=("Of 10 examples.",),
        marks=("", "guess"),
        emphasis=(STRONG, ""),
        sections=frozenset({1}),
    )
    assert markdown_of(sheet) == (
        "# Scores\n\n| run | score **guess** |\n| --- | ---: |\n| **natural** | 1.0 |\n"
        "| pgd-at | 2.0 |\n\n- Of 10 examples."
    )
    latex = latex_of(sheet)
    assert r"\textbf{natural} & 1.0 \\" in latex
    assert latex.count(r"\midrule") == 2
    assert r"\caption{Scores}" in latex
    assert latex.endswith("\\end{table}\n% Of 10 examples.")
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_of(sheet))
    shown = console.export_text()
    for text in ("Scores", "guess", "natural", "Of 10"):
        assert text in shown


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"rows": (("a",),)}, "of different lengths"),
        ({"sides": "l"}, "of different lengths"),
        ({"emphasis": ("",)}, "1 emphases for 0 rows"),
        ({"marks": ("",)}, "1 marks for 2 columns"),
    ],
)
def test_a_sheet_is_a_rectangle(parts, why):
    with pytest.raises(ValueError, match=why):
        Sheet(**{"headings": ("a", "b"), "rows": (), "sides": "ll", **parts})
