import csv
import io
import json

import pytest

from moat.report import compare_runs, comparison_table, write_comparison
from moat.report.side_by_side.files import (
    comparison_csv,
    comparison_json,
    examples_csv,
)
from moat.report.side_by_side.parts import comparison_markdown


@pytest.fixture
def unequal(tmp_path, write):
    """Two runs under two protocols."""
    write(tmp_path / "a", "natural", 90, (60, 50, 40, 30))
    write(tmp_path / "b", "max-at", 90, (60, 50, 40, 30), protocol_hash="other")
    return compare_runs([tmp_path / "a", tmp_path / "b"])


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_holds_all_that_is_shown(pair, change):
    change(pair[0], trains={"lr": None})
    change(pair[1], seed=2)
    comparison = compare_runs([run.path for run in pair])
    told = comparison_table(comparison)
    first, other = comparison.names
    assert (told["format"], told["reference"], told["refused"]) == (1, first, None)
    assert [run["folder"] for run in told["runs"]] == [str(run.path) for run in pair]
    assert told["recipe"] == {"lr": {first: None}}  # null is a value; who lacks a key is left out
    assert told["circumstances"] == {"seed": {first: 0, other: 2}}
    flow = told["scores"][2]
    assert flow["score"] == "flow"
    assert flow["values"] == pytest.approx({first: 50, other: 200 / 3})
    assert flow["differences"][other]["difference"] == pytest.approx(100 / 6)
    assert flow["differences"][other]["excludes_zero"] is False
    pgd = told["withstood"][1]
    assert (pgd["what"], pgd["all"], pgd["none"], pgd["p"]) == ("pgd", 1, 1, 1)
    assert pgd["only"] == {first: [4, 5], other: [1, 2]}
    assert any("variance of training" in note for note in told["notes"])
    assert json.loads(comparison_json(comparison)) == told


def test_a_refusal_is_in_the_table_beside_the_recipes(unequal):
    told = comparison_table(unequal)
    assert told["refused"].startswith("the scores are not compared")
    assert told["recipe"] == {"scalarizer.type": {"natural": "natural", "max-at": "average"}}
    assert (told["scores"], told["withstood"], told["notes"]) == ([], [], [])


def test_csv_has_a_line_for_each_score_of_each_run(paths):
    comparison = compare_runs(paths)
    rows = rows_of(comparison_csv(comparison))
    assert len(rows) == 5 * 2
    first, other = rows[4:6]
    assert (first["score"], first["run"], first["reference"]) == ("flow", "max-at", "")
    assert (first["difference"], first["low"], first["excludes_zero"]) == ("", "", "")
    (expected,) = comparison.scores[2].differences
    assert float(other["difference"]) == expected.value
    assert (float(other["low"]), float(other["high"])) == (expected.low, expected.high)
    assert (other["reference"], other["excludes_zero"]) == ("max-at", "False")


def test_a_difference_of_exactly_zero_is_written_as_one(pair, enter):
    for run in pair:
        enter(run, [[1, 1, 1, 1]] * 4)
    rows = rows_of(comparison_csv(compare_runs([run.path for run in pair])))
    assert {row["difference"] for row in rows if row["reference"]} == {"0.0"}
    assert {row["excludes_zero"] for row in rows if row["reference"]} == {"False"}


def test_what_came_of_each_example_is_written_by_its_id(pair, enter):
    for run in pair:
        held, _ = run.load_evaluation()
        enter(run, held["outcomes"], [7, 1, 2, 3, 4, 5])
    rows = rows_of(examples_csv(compare_runs([run.path for run in pair])))
    assert len(rows) == 4 * 6
    pgd = [row for row in rows if row["withstood"] == "pgd"]
    assert [row["id"] for row in pgd] == ["1", "2", "3", "4", "5", "7"]
    assert [row["max-at"] for row in pgd] == list("000111")
    assert [row["mgda"] for row in pgd] == list("110001")


def test_of_what_was_not_searched_no_example_is_written(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 90, (60, 50, 40, 30), union_only=True)
    rows = rows_of(examples_csv(compare_runs([tmp_path / "a", tmp_path / "b"])))
    assert {row["withstood"] for row in rows} == {"natural", "union"}


def test_markdown_shows_recipes_scores_examples_and_notes(pair, change):
    change(pair[0], trains={"threats": {"pgd": {"type": "pgd", "steps": 5}}})
    change(pair[1], seed=2, label="m|gda", trains={"threats": {}})
    text = comparison_markdown(compare_runs([run.path for run in pair]))
    assert text.startswith("# m\\|gda seed 2 against max-at seed 0\n\n| run | folder |\n")
    assert (
        "| threats.pgd | pgd | - |\n\n- threats.pgd: type pgd, steps 5\n\n## Differences outside"
        in text
    )
    assert "|  | max-at seed 0 | m\\|gda seed 2 | difference |\n| --- | ---: | ---: | --- |" in text
    assert "| both | 4 | 1 | 3 | 1 |" in text
    assert "| pgd | max-at seed 0 | 4, 5 |" in text
    assert text.endswith("- compare-examples.csv has every example.\n")


def test_markdown_says_why_there_are_no_scores(unequal):
    text = comparison_markdown(unequal)
    assert "| scalarizer.type | natural | average |" in text
    assert "## Scores\n\nthe scores are not compared" in text


def test_markdown_says_that_recipes_do_not_differ(paths):
    assert "## Differences in training\n\nThe recipes have the same" in comparison_markdown(
        compare_runs(paths)
    )


def test_files_are_written_and_those_of_a_refusal_hold_no_scores(tmp_path, paths, unequal):
    out = tmp_path / "out"
    written = write_comparison(compare_runs(paths), out)
    assert [path.name for path in written] == [
        *("compare.md", "compare.csv", "compare.json", "compare-examples.csv")
    ]
    assert len(rows_of((out / "compare.csv").read_text("utf-8"))) == 10
    write_comparison(unequal, out)
    assert rows_of((out / "compare.csv").read_text("utf-8")) == []
    assert rows_of((out / "compare-examples.csv").read_text("utf-8")) == []
