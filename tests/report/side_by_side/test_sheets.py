import pytest

from moat.dotted import ABSENT
from moat.report import compare_runs
from moat.report.side_by_side.sheets import (
    counts_sheet,
    ids_sheet,
    keys_sheet,
    scores_sheet,
    whole_tables,
    written,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ABSENT, "-"),
        (None, "none"),
        (True, "true"),
        ("cosine", "cosine"),
        (0.003, "0.003"),
        ([], "[]"),
        ({}, "{}"),
        (["pgd", "flow"], "pgd, flow"),
        ({"type": "pgd", "at": [1, 2], "of": {"a": 1}}, "type pgd, at [1, 2], of {a 1}"),
    ],
)
def test_a_value_of_a_recipe_in_words(value, text):
    assert written(value) == text


def test_a_whole_table_is_named_by_its_type_and_told_once(pair, change):
    pgd = {"type": "pgd", "steps": 5}
    change(pair[0], trains={"threats": {}})
    change(pair[1], trains={"threats": {"noise": pgd, "own": {"steps": 3}}})
    comparison = compare_runs([run.path for run in pair])
    sheet = keys_sheet(comparison, comparison.recipe, [1])
    assert sheet.headings == ("", "max-at", "mgda")
    assert sheet.rows == (("threats.noise", "-", "pgd"), ("threats.own", "-", "a table"))
    assert whole_tables(comparison.recipe) == [
        "threats.noise: type pgd, steps 5",
        "threats.own: steps 3",
    ]


def test_beside_some_of_the_runs_only_their_own_keys_are_shown(study):
    paths = [study / name / "plain" / "seed-0" for name in ("mgda", "max-at", "natural")]
    comparison = compare_runs(paths)
    assert keys_sheet(comparison, comparison.recipe, [1]).rows == ()
    assert keys_sheet(comparison, comparison.recipe, [1, 2]).rows == (
        ("scalarizer.type", "average", "average", "natural"),
    )


def test_differences_stand_beside_their_runs_and_are_marked(pair, enter):
    enter(pair[0], [[1, 1, 1, 1]] * 100)
    enter(pair[1], [[1, 1, 1, 0]] * 40 + [[1, 1, 1, 1]] * 60)
    sheet = scores_sheet(compare_runs([run.path for run in pair]), [1])
    assert sheet.headings == ("", "max-at", "mgda", "difference")
    rows = {row[0]: row[1:] for row in sheet.rows}
    assert rows["pgd"] == ("100.0", "100.0", "  +0.0     [-3.7, +3.7]")
    assert rows["flow"][:2] == ("100.0", "60.0")
    assert rows["flow"][2].startswith(" -40.0")
    assert rows["flow"][2].endswith("] *")


def test_of_two_runs_both_and_neither_are_counted_and_p_is_shown(paths):
    sheet = counts_sheet(compare_runs(paths), [1, 3])
    assert sheet.headings == ("withstood by", "pgd", "union")
    assert sheet.rows == (
        ("both", "1", "1"),
        ("only max-at", "2", "1"),
        ("only mgda", "2", "1"),
        ("neither", "1", "3"),
        ("p", "1.000", "1.000"),
    )


def test_of_more_runs_all_some_and_none_are_counted(study):
    paths = [study / name / "plain" / "seed-0" for name in ("natural", "mgda", "max-at")]
    sheet = counts_sheet(compare_runs(paths), [0])
    assert sheet.rows == (
        ("all", "957"),
        ("some, not all", "26"),
        ("only natural", "6"),
        ("only mgda", "0"),
        ("only max-at", "0"),
        ("none", "11"),
    )


def test_a_very_small_p_is_bounded(pair, enter):
    enter(pair[0], [[1, 1, 1, 1]] * 30)
    enter(pair[1], [[0, 1, 1, 1]] * 30)
    sheet = counts_sheet(compare_runs([run.path for run in pair]), [0])
    assert sheet.rows[-1] == ("p", "<0.001")


def test_what_was_not_searched_is_a_dash(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 90, (60, 50, 40, 30), union_only=True)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert scores_sheet(comparison, [1]).rows[1] == ("pgd", "-", "-", "     -")
    assert [row[1] for row in counts_sheet(comparison, [1]).rows] == ["-"] * 5
    assert ids_sheet(comparison).rows == ()


def test_the_first_few_ids_are_shown_or_all(pair, enter):
    enter(pair[0], [[1, 1, 1, 1]] * 8, range(100, 108))
    enter(pair[1], [[1, 1, 1, 0]] * 8, range(100, 108))
    comparison = compare_runs([run.path for run in pair])
    few, all_of_them = ids_sheet(comparison).rows, ids_sheet(comparison, None).rows
    assert few[0] == ("flow", "max-at", "100, 101, 102, 103, 104 and 3 more")
    assert all_of_them[0] == ("flow", "max-at", "100, 101, 102, 103, 104, 105, 106, 107")
