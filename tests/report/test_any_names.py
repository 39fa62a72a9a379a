"""Studies and variants of any name: nothing parses them, and every file can be read again."""

import csv
import io
import json
from xml.dom.minidom import parseString

import pytest
from rich.console import Console

from moat.names import why_no_name
from moat.printable import printable
from moat.report import (
    compare_runs,
    comparison_shown,
    front_table,
    make_fronts,
    make_plots,
    make_scoreboards,
    score_table,
    write_comparison,
    write_front,
    write_plots,
    write_report,
)
from moat.report.page import write_page

_HOSTILE = [
    *("two $ of $it", "$frac{1}{2$", "a_b^{c", "100 % alpha_{", "_hidden_", "~x~"),
    *("[red]x[red]", "[bold]", "[a](http:b)", "<b>&amp;<b>", "<script>", "{{ x }}", "%{x}"),
    *("=1+1", "+1", "@x", "'", '"', "a,b|c`d"),
    *("caf\udce9", "\x1b[31mred", "two\nlines", "\x00", "\u202eturned", "漢字", "🙂"),
]
NAMES = [name for name in _HOSTILE if not why_no_name(name)]  # others are refused


@pytest.fixture
def results(tmp_path, write):
    folder = tmp_path / "results"
    for place, name in enumerate(NAMES):
        scores = (30 + place, 50 - place, 20, 10)
        write(folder / f"{place}", name, 90 - place / 2, scores, study=NAMES[place % 2])
    return folder


def shown_of(table) -> str:
    console = Console(file=io.StringIO(), width=400, force_terminal=True, color_system=None)
    console.print(table)
    return console.file.getvalue()


def test_every_picture_is_drawn_and_shows_each_name_as_it_is(results, tmp_path):
    plots = make_plots([results], ["front", "parallel"])
    write_plots(plots, tmp_path)
    assert not plots.missing
    front = (tmp_path / "front.svg").read_text()
    texts = [
        "".join(child.data for child in text.childNodes)
        for text in parseString(front).getElementsByTagName("text")
    ]
    words = " ".join(texts).split()
    for name in NAMES:
        assert set(printable(name).split()) <= set(words), name
    for path in tmp_path.glob("*.svg"):
        parseString(path.read_bytes())


def test_tables_for_the_terminal_show_each_name_as_it_is(results):
    (board,) = make_scoreboards(results).boards
    (front,) = make_fronts(results).fronts
    runs = sorted(results.iterdir(), key=lambda path: int(path.name))
    together = compare_runs(runs[-9:])
    for table, names in (
        (score_table(board, 400), NAMES),
        (front_table(front, 400), NAMES),
        (comparison_shown(together, 400), NAMES[-9:]),
    ):
        shown = shown_of(table)
        assert "\x1b[31m" not in shown
        assert not {word for name in names for word in printable(name).split() if word not in shown}


def test_every_file_can_be_read_again(results, tmp_path):
    runs = sorted(results.iterdir())[:4]
    made = make_scoreboards(results)
    write_report(made, tmp_path)
    write_front(make_fronts(results), tmp_path)
    write_comparison(compare_runs(runs), tmp_path)
    write_page(made, results, tmp_path / "page.html")
    for path in (p for p in tmp_path.iterdir() if p.suffix in (".md", ".csv", ".json", ".html")):
        text = path.read_text("utf-8")
        assert not {"\x1b", "\x00", "\u202e"} & set(text), path
    labels = {
        row["label"] for row in csv.DictReader((tmp_path / "report.csv").read_text().splitlines())
    }
    assert labels == {f"'{n}" if n[0] in "=+@" else printable(n) for n in NAMES}
    front = json.loads((tmp_path / "front.json").read_text())
    assert {run["variant"] for run in front["runs"]} == set(map(printable, NAMES))
    assert r"\[a\](http:b)" in (tmp_path / "report.md").read_text()
    assert "<b>&amp;</b>" not in (tmp_path / "page.html").read_text().replace("&amp;amp;", "")
