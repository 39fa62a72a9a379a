import re

import pytest

from moat.records import Published
from moat.report import make_scoreboards
from moat.report.scores.sheets import board_markdown
from moat.sheets import escaped


def tables(text):
    """Return each table as rows of cells, read as GitHub reads them."""
    found = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            found[-1].append([cell.strip().replace("\\", "") for cell in cells])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def markdown(results, published=None):
    (board,) = make_scoreboards(results, published).boards
    return board_markdown(board)


def test_scores_are_rows_and_eight_runs_at_most_are_columns(study):
    text = markdown(study)
    assert text.startswith("# digits_pareto on digits (size 16)\n\n| score | natural |")
    first, second, differences = tables(text)
    assert differences[0][:2] == ["less average-at", "natural"]
    assert [len(table[0]) for table in (first, second)] == [8, 8]
    assert first[0][:4] == ["score", "natural", "average-at", "max-at"]
    assert first[1] == ["---", *["---:"] * 7]
    assert [row[0] for row in first[2:]] == [row[0] for row in second[2:]]
    assert first[2][:4] == ["**natural**", "98.9", "97.5", "95.7"]


def test_published_figures_and_the_notes_are_there(study):
    text = markdown(study, Published(source="the paper", runs={"max-at": {"pgd": 65.16}}))
    rows = [row for table in tables(text) for row in table]
    assert [row[0] for row in rows[3:6]] == ["**pgd**", "published", "difference"]
    place = rows[0].index("max-at")
    assert [row[place] for row in rows[3:6]] == ["65.2", "65.16", "+0.0"]
    assert "\n- published: the paper; difference: " in text
    assert "\n- Protocol 0123456789abcdef: " in text


def test_a_run_that_did_not_train_is_marked_beside_its_name(tmp_path, write):
    write(tmp_path / "a", "max-at", 11, (11, 11, 11, 11), classes=10)
    assert tables(markdown(tmp_path))[0][0] == ["score", "max-at **constant guess**"]


def test_a_label_with_a_bar_does_not_break_the_table(tmp_path, write):
    write(tmp_path / "a", "a|b", 90, (1, 2, 3, 4), r="<x>|*`y`*")
    text = markdown(tmp_path)
    (table,) = tables(text)
    assert {len(row) for row in table} == {2}
    assert table[0] == ["score", "a|b r=<x>|*`y`*"]
    assert r"a\|b r=\<x>\|\*\`y\`\*" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a|b", r"a\|b"), ("a\\|b", r"a\\\|b"), ("one\n two", "one two"), ("plain_1.0", "plain_1.0")],
)
def test_text_is_shown_as_it_stands(text, shown):
    assert escaped(text) == shown
