import json

import pytest

from moat.errors import RunFolderError
from moat.evaluation.sanity import Check
from moat.report import make_fronts, make_scoreboards, read_points
from moat.report.front.data import csv_text, json_text
from moat.report.front.notes import notes
from moat.report.gate import gate_notes, worst_verdict
from moat.report.one_run.scores import score_runs
from moat.report.one_run.table import run_table
from moat.report.points import read_point
from moat.report.scores.notes import board_notes
from moat.runs import RunFolder

SCORES = (30, 30, 30, 30)


def check(name="loss", verdict="pass", figure=0.0, text=None, **more):
    text = f"{name}: {figure:g} found." if text is None else text
    return Check(name, verdict, text, figure, "%", "pgd", **more).as_table()


@pytest.fixture
def noted(tmp_path, write):
    """Return a function that writes runs with these gates and returns the notes of them all."""

    def noted(**gates):
        for variant, gate in gates.items():
            write(tmp_path / variant, variant, 90, SCORES, sanity=gate)
        return gate_notes(read_points(tmp_path)[0])

    return noted


def test_a_gate_that_passes_is_one_line(noted):
    lines = noted(a=[check(), check("reach")], b=[check(), check("reach")])
    assert lines == ["Sanity gate of 2 runs, 4 checks: 4 pass."]


def test_each_doubt_is_told_by_the_run_that_it_is_worst_for(noted):
    lines = noted(
        a=[check("loss", "fail", 6), check("restarts", "warn", 2)],
        b=[check("loss", "fail", 9), check("restarts")],
        c=[check("loss", "warn", 2), check("restarts")],
    )
    assert lines == [
        "Sanity gate of 3 runs, 6 checks: 2 pass, 2 warn, 2 fail.",
        "fail, loss (b, a): loss: 9 found.",
        "warn, loss (c): loss: 2 found.",
        "warn, restarts (a): restarts: 2 found.",
    ]


def test_where_high_is_good_the_lowest_is_the_worst(noted):
    gates = {
        name: [check("reach", "warn", figure, high_is_good=True)]
        for name, figure in [("a", 0.4), ("b", 0.1), ("c", 0.7)]
    }
    assert noted(**gates)[1] == "warn, reach (b, a, c): reach: 0.1 found."


def test_what_could_not_be_asked_is_told_with_the_reason(noted):
    lines = noted(a=[Check("transfer", "not checked", "No other run was there.").as_table()])
    assert lines == [
        "Sanity gate of 1 run, 1 check: 1 not made.",
        "not checked, transfer (a): No other run was there.",
    ]


def test_many_runs_are_named_by_the_first_three(noted):
    lines = noted(**{name: [check("loss", "fail", 6)] for name in "abcdef"})
    assert lines[1].startswith("fail, loss (a, b, c and 3 more): ")


def test_an_evaluation_without_a_gate_is_named(noted):
    assert noted(a=[check()], b=None) == [
        "Sanity gate of 1 run, 1 check: 1 pass.",
        "b has no stored sanity gate: `moat evaluate` with the run's folder makes it.",
    ]


def test_several_seeds_are_told_apart(tmp_path, write):
    for seed in (0, 1):
        gate = [check("loss", "fail", 6 + seed)]
        write(tmp_path / str(seed), "a", 90, SCORES, seed=seed, sanity=gate)
    assert gate_notes(read_points(tmp_path)[0])[1].startswith("fail, loss (a, seed 1; a, seed 0)")


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (["pass", "warn", "fail"], "fail"),
        (["not checked", "pass", "warn"], "warn"),
        (["not checked", "pass"], "pass"),
        (["not checked"], "not checked"),
    ],
)
def test_the_worst_verdict_speaks_for_a_run(tmp_path, write, verdicts, worst):
    run = write(tmp_path / "a", "a", 90, SCORES, sanity=[check("loss", v) for v in verdicts])
    assert worst_verdict(read_point(run, tmp_path)) == worst


def test_a_run_without_a_gate_has_no_verdict(tmp_path, write):
    run = write(tmp_path / "a", "a", 90, SCORES, sanity=None)
    assert worst_verdict(read_point(run, tmp_path)) is None


def test_every_table_shows_the_gate(tmp_path, write):
    write(tmp_path / "a", "a", 90, SCORES, sanity=[check("loss", "fail", 6)])
    line = "fail, loss (a): loss: 6 found."
    (front,) = make_fronts(tmp_path).fronts
    (board,) = make_scoreboards(tmp_path).boards
    (scores,) = score_runs([tmp_path / "a"])
    assert line in notes(front)
    assert line in board_notes(board)
    assert line in str(run_table(scores).renderables[-1])


def test_the_files_hold_the_verdict_and_every_check(tmp_path, write):
    gate = [check("loss", "fail", 6), check("reach")]
    write(tmp_path / "a", "a", 90, SCORES, sanity=gate)
    (front,) = make_fronts(tmp_path).fronts
    assert json.loads(json_text(front, []))["runs"][0]["sanity"] == gate
    header, line = csv_text(front).splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=True))["sanity"] == "fail"
    (scores,) = score_runs([tmp_path / "a"])
    assert scores.as_table()["sanity"] == gate


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("fine", "sanity is 'fine' and should be of type list"),
        ([1], "sanity.0 is 1 and should be of type dict"),
        ([{"name": "loss", "verdict": "pass"}], "sanity.0.text is missing"),
        (
            [{"name": "loss", "verdict": "well", "text": ""}],
            "sanity.0.verdict is 'well' and should be 'pass', 'warn', 'fail' or 'not checked'",
        ),
        (
            [{"name": "loss", "verdict": "pass", "text": 3}],
            "sanity.0.text is 3 and should be of type str",
        ),
        (
            [{"name": "loss", "verdict": "pass", "text": "", "figure": "much"}],
            "sanity.0.figure is 'much' and should be a number",
        ),
    ],
)
def test_a_gate_that_is_none_is_not_trusted(tmp_path, write, broken, said):
    run = write(tmp_path / "a", "a", 90, SCORES)
    arrays, _ = RunFolder(run.path).load_evaluation()
    run.save_evaluation(arrays, {"sanity": broken})
    with pytest.raises(RunFolderError, match=f"evaluation.json: its record is not moat's: {said}."):
        read_point(run, tmp_path)


def test_a_solver_that_refused_in_training_is_told_with_the_gate(tmp_path, write):
    write(tmp_path / "a", "a", 90, SCORES, unsolved=0.021)
    write(tmp_path / "b", "b", 90, SCORES, unsolved=0.5, clamped=0.25)
    write(tmp_path / "c", "c", 90, SCORES)
    points, _ = read_points(tmp_path)
    warning = (
        "warn, solver (b, a): it found no weights in 50.0% of the training steps. There, MGDA "
        "used uniform weights and two-moment kept the last ones."
    )
    assert gate_notes(points)[1:] == [warning]
    (board,) = make_scoreboards(tmp_path).boards
    assert warning in board_notes(board)
    assert gate_notes([p for p in points if p.label == "c"])[1:] == []
