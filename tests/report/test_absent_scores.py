"""A run that was searched for its union alone: None in its point, a dash wherever it is shown."""

import csv
import io
import json
import re

import pytest
from rich.console import Console

from moat.digests import short_hash
from moat.errors import FrontError
from moat.report import (
    compare_runs,
    front_table,
    make_fronts,
    make_scoreboards,
    score_table,
    write_front,
)
from moat.report.groups import group_points
from moat.report.notes import absence_notes, falls_notes
from moat.report.points import read_points
from moat.report.rows import rows_of
from moat.report.scores.notes import board_notes
from moat.report.scores.rows import scores_csv
from moat.report.scores.sheets import board_markdown
from moat.runs import RunFolder

ABSENT = (
    "-: this evaluation (union_only) drops an example at its first fall, so only natural and "
    "union have scores."
)


@pytest.fixture
def results(tmp_path, write):
    """A natural run and two others, all judged with union_only."""
    for variant, natural, scores in (
        ("natural", 98, (20, 10, 15, 5)),
        ("max-at", 90, (60, 50, 40, 30)),
        ("average-at", 85, (60, 50, 40, 20)),
    ):
        write(tmp_path / "results" / variant, variant, natural, scores, union_only=True)
    return tmp_path / "results"


@pytest.fixture
def group(results):
    (found,) = group_points(read_points(results)[0])
    return found


def shown(table):
    console = Console(width=160, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


def test_a_row_has_no_universal_score_and_still_what_it_sacrificed(group):
    rows = {row.name: row for row in rows_of(group)}
    assert rows["max-at"].universal is None
    assert rows["max-at"].sacrificed == pytest.approx(8)
    assert rows["max-at"].baseline == ("natural",)


def test_a_baseline_without_a_total_gives_none_to_a_run_that_has_one(tmp_path, write):
    write(tmp_path / "n", "natural", 98, (20, 10, 15, 5), union_only=True)
    write(tmp_path / "m", "max-at", 90, (60, 50, 40, 30))
    (group,) = group_points(read_points(tmp_path)[0])
    rows = {row.name: row for row in rows_of(group)}
    assert rows["max-at"].point.total == pytest.approx(150)
    assert rows["max-at"].universal is None
    assert absence_notes(group) == [ABSENT]


def test_the_mean_of_several_baselines_is_of_all_of_them_or_of_none(tmp_path, write):
    write(tmp_path / "0", "natural", 98, (20, 10, 15, 5), seed=0, union_only=True)
    write(tmp_path / "1", "natural", 98, (20, 10, 15, 5), seed=1)
    write(tmp_path / "2", "max-at", 90, (60, 50, 40, 30), seed=2)
    (group,) = group_points(read_points(tmp_path)[0])
    gained = {row.name: row.universal for row in rows_of(group)}
    assert gained == {"natural seed 0": None, "natural seed 1": 0, "max-at seed 2": None}


def test_the_front_is_of_what_can_be_scored(results):
    (front,) = make_fronts(results).fronts
    assert {objective.name for objective in front.objectives}.isdisjoint({"total", "universal"})
    place = {row.name: number for number, row in enumerate(front.settings)}
    assert front.members[place["max-at"]]
    assert not front.members[place["average-at"]]  # lower in natural and in union


def test_the_table_of_a_front_has_dashes_and_says_why(results):
    (front,) = make_fronts(results).fronts
    text = shown(front_table(front, 160))
    line = next(line for line in text.splitlines() if line.startswith("max-at"))
    assert line.split() == ["max-at", "90.0", *["-"] * 6, "30.0", "●"]
    assert ABSENT in " ".join(text.split())


def test_the_files_of_a_front_have_null_and_nothing(results, tmp_path):
    paths = write_front(make_fronts(results), tmp_path / "out")
    told = json.loads(paths[1].read_text("utf-8"))
    run = next(run for run in told["runs"] if run["name"] == "max-at")
    assert (run["total"], run["universal"], run["scores"]["rt"]) == (None, None, None)
    assert run["union"] == pytest.approx(30)
    with paths[0].open(encoding="utf-8", newline="") as file:
        line = next(line for line in csv.DictReader(file) if line["name"] == "max-at")
    assert (line["total"], line["scores.rt"], line["accuracy.pgd.2"]) == ("", "", "")
    assert float(line["union"]) == run["union"]


def test_a_scoreboard_has_dashes_where_nothing_can_be_scored(results):
    (board,) = make_scoreboards(results).boards
    assert all(cell.mean is None for name in ("pgd", "total") for cell in board.cells[name])
    assert [cell.mean for cell in board.cells["union"]] == pytest.approx([5, 20, 30])
    line = next(line for line in shown(score_table(board, 160)).splitlines() if "total" in line)
    assert line.split()[-3:] == ["-", "-", "-"]
    assert ABSENT in board_notes(board)


def test_markdown_and_csv_have_them_too(results):
    (board,) = make_scoreboards(results).boards
    assert "| **total** | - | - | - |" in board_markdown(board)
    lines = {
        (line["label"], line["score"]): line["ours"]
        for line in csv.DictReader(io.StringIO(scores_csv(board)))
    }
    assert lines["max-at", "pgd"] == ""
    assert float(lines["max-at", "union"]) == pytest.approx(30)


def test_a_mean_over_seeds_is_of_those_that_have_the_score(tmp_path, write):
    write(tmp_path / "0", "max-at", 90, (60, 50, 40, 30), seed=0, union_only=True)
    write(tmp_path / "1", "max-at", 90, (70, 50, 40, 30), seed=1)
    (board,) = make_scoreboards(tmp_path).boards
    (cell,) = board.cells["pgd"]
    assert (cell.values, cell.interval.over) == ((pytest.approx(70),), "examples")
    assert ABSENT in board_notes(board)


def test_a_whole_evaluation_needs_no_such_note(study):
    (group,) = group_points(read_points(study)[0])
    assert absence_notes(group) == []
    assert falls_notes(group) == ["An example falls by the last iterate of a search."]


def test_radii_restarts_and_ensembles_are_explained_each_where_there_is_one(
    tmp_path, write, judged_any_way
):
    write(tmp_path / "a", "max-at", 90, (60, 50, 40), protocol=judged_any_way)
    (group,) = group_points(read_points(tmp_path)[0])
    assert falls_notes(group) == [
        "An example falls by any iterate of a search.",
        "Each strength takes the worst restart of each example.",
        "An example that fell at a smaller radius counts as fallen at a larger one.",
        "An ensemble's score is the share that withstands all its members at every strength.",
    ]
    (board,) = make_scoreboards(tmp_path).boards
    assert "counts as fallen at a larger one." in board_notes(board)[0]


class TestWithoutEvaluatedThreats:
    """A study that was judged by natural accuracy alone: nothing says that it has a union."""

    @pytest.fixture
    def results(self, tmp_path, write):
        protocol = {"threats": {}, "summed": []}
        for variant, natural in (("natural", 98), ("max-at", 90)):
            write(tmp_path / "results" / variant, variant, natural, (), protocol=protocol)
        return tmp_path / "results"

    def test_a_scoreboard_has_natural_accuracy_and_dashes(self, results):
        (board,) = make_scoreboards([results]).boards
        text = shown(score_table(board, 160))
        assert re.search(r"natural +98.0 +90.0", text)
        assert re.search(r"union +- +-", text)
        assert "-: no threat was evaluated, so natural accuracy is the only score." in text
        assert ": no threat; 1,000 test examples." in text

    def test_a_front_is_refused_with_the_mend(self, results):
        with pytest.raises(FrontError, match="natural accuracy alone is not a front") as refused:
            make_fronts(results)
        assert "`moat evaluate RESULTS --protocol FILE`" in str(refused.value)

    def test_two_runs_are_compared_by_natural_accuracy(self, results):
        comparison = compare_runs([results / "natural", results / "max-at"])
        assert comparison.refusal is None
        assert comparison.scores[0].values == pytest.approx((98, 90))

    def test_an_older_record_that_claims_a_union_is_read(self, results):
        file = results / "max-at" / "run.json"
        record = json.loads(file.read_text("utf-8"))
        record |= {"files": {}, "moat": "0.1.0", "training": {}, "machine": {}}
        record["train_hash"] = short_hash(record["trains"])
        record["scores"] = {"natural": 90.0, "union": 90.0, "total": 0, "accuracy": {}}
        record["protocol_hash"] = short_hash(record["protocol"])
        file.write_text(json.dumps(record), "utf-8")
        folder = RunFolder(file.parent)
        folder.save_evaluation(folder.load_evaluation()[0], {"scores": record["scores"]})
        (point,) = read_points(results / "max-at")[0]
        assert (point.natural, point.union, point.total) == (90.0, None, None)
