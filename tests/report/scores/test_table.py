import io

import pytest
from rich.console import Console

from moat.records import Published
from moat.report import make_scoreboards, score_table

PAPER = Published(
    source="the paper", runs={"max-at": {"pgd": 65.16}, "pareto r=2.2": {"pgd": 88.06}}
)


def printed(results, width, published=None):
    (board,) = make_scoreboards(results, published).boards
    console = Console(width=width, file=io.StringIO())
    console.print(score_table(board, width))
    return console.file.getvalue()


def lines_of(text, *words):
    return [line for line in text.splitlines() if line.split()[: len(words)] == list(words)]


def test_runs_stand_across_and_scores_down(study):
    text = printed(study, 200)
    assert text.splitlines()[0].strip() == "digits_pareto on digits (size 16)"
    first, second = text.splitlines()[1:3]
    assert first.split() == ["pareto"] * 8
    assert second.split()[:5] == ["natural", "average-at", "max-at", "mgda", "r=0.2"]
    (pgd,) = lines_of(text, "pgd")
    assert pgd.split()[:4] == ["pgd", "29.4", "72.7", "65.2"]


def test_a_published_figure_and_the_difference_stand_below_ours(study):
    text = printed(study, 200, PAPER)
    rows = [lines_of(text, title)[0].split() for title in ("pgd", "published", "difference")]
    columns = list(zip(*rows, strict=True))
    assert ("65.2", "65.16", "+0.0") in columns
    assert ("68.1", "88.06", "-20.0") in columns
    assert ("29.4", "-", "-") in columns


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_a_terminal_that_is_too_narrow_gets_several_tables_and_nothing_is_cut(study, width):
    text = printed(study, width, PAPER)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    pgd = [cell for line in lines_of(text, "pgd") for cell in line.split()[1:]]
    assert len(pgd) == 14
    assert {"29.4", "65.2", "68.1"} <= set(pgd)
    assert text.count("natural: accuracy on the unmodified") == 1


def test_at_80_columns_a_table_holds_as_many_runs_as_there_is_room_for(study):
    assert [len(line.split()) - 1 for line in lines_of(printed(study, 80), "union")] == [7, 7]


def test_a_run_that_did_not_train_is_marked_below_its_name(tmp_path, write):
    write(tmp_path / "a", "max-at", 11, (11, 11, 11, 11), classes=10)
    write(tmp_path / "b", "natural", 98, (11, 11, 11, 11), classes=10)
    lines = printed(tmp_path, 80).splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["max-at"],
        ["constant"],
        ["natural", "guess"],
    ]


def test_square_brackets_in_a_name_are_shown_as_they_are(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, "[bold]", 80, (20, 30, 30, 30))
    assert "[bold]" in printed(tmp_path, 80)
