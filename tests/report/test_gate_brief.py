"""What a reader must know under a table: the gate first, in a line a verdict."""

import pytest

from moat.evaluation.sanity import Check
from moat.report import make_fronts, make_scoreboards, read_points
from moat.report.front.notes import brief_notes, notes
from moat.report.gate_brief import gate_brief
from moat.report.one_run.scores import score_runs
from moat.report.one_run.table import brief_run_notes
from moat.report.scores.notes import brief_board_notes
from moat.report.side_by_side.comparison import compare_runs
from moat.report.side_by_side.words import comparison_notes

SCORES = (30, 30, 30, 30)
KINDS = ("logits", "gradients", "loss", "reach", "strengths", "restarts", "dlr", "transfer")


def check(name="loss", verdict="pass", figure=0.0, unit="%", of="pgd"):
    text = f"{name}: a sentence of what it means, which is a long one. " * 3
    return Check(name, verdict, text, figure, unit, of).as_table()


def runs_with(folder, write, gates):
    for variant, gate in gates.items():
        write(folder / variant, variant, 90, SCORES, sanity=gate)
    return read_points(folder)[0]


def test_each_verdict_is_a_line_with_the_runs_of_each_check(tmp_path, write):
    points = runs_with(
        tmp_path,
        write,
        {
            "a": [check("loss", "fail", 6), check("dlr", "fail", 30), check("restarts", "warn", 2)],
            "b": [check("loss", "fail", 9), check("dlr", "warn", 5), check("restarts")],
            "c": [check("loss", "warn", 2), check("dlr"), check("restarts", "not checked")],
        },
    )
    assert gate_brief(points) == [
        "Sanity gate (details: --notes): 2 checks pass, 3 warn, 3 fail, 1 not made.",
        "  fail: loss (2 of 3 runs, worst pgd 9 %, b); dlr (1 of 3 runs, worst pgd 30 %, a).",
        "  warn: loss (1 of 3 runs); dlr (1 of 3 runs); restarts (1 of 3 runs).",
        "  not made: restarts (1 of 3 runs).",
    ]


@pytest.mark.parametrize(
    ("gate", "lines"),
    [
        ([check(), check("dlr")], ["Sanity gate: all 2 checks pass."]),
        (
            [check("reach", "warn", 0.17, "of the radius")],
            [
                "Sanity gate (details: --notes): 0 checks pass, 1 warn.",
                "  warn: reach (pgd 17 % of the radius).",
            ],
        ),
        (
            [check("logits", "fail", 2.5, of=None), check("loss", "fail", None)],
            [
                "Sanity gate (details: --notes): 0 checks pass, 2 fail.",
                "  fail: logits (2.5 %); loss.",
            ],
        ),
        ([], ["No sanity gate is stored with a: `moat evaluate RUN` makes it."]),
    ],
)
def test_of_one_run_no_number_of_runs_is_told(tmp_path, write, gate, lines):
    assert gate_brief(runs_with(tmp_path, write, {"a": gate})) == lines


def test_however_many_checks_fail_the_notes_are_few_and_all_else_is_kept(tmp_path, write):
    """Every kind of check fails, warns and is not made somewhere among thirty runs."""
    verdicts = ("fail", "warn", "not checked", "pass")
    gates = {
        f"v{n}": [check(kind, verdicts[(n + k) % 4], n) for k, kind in enumerate(KINDS)]
        for n in range(30)
    }
    gates["natural"] = [check()]
    runs_with(tmp_path, write, gates)
    (front,), _ = make_fronts(tmp_path).fronts, None
    (board,) = make_scoreboards([tmp_path]).boards
    run = score_runs([tmp_path / "v0"])[0]
    pair = compare_runs([tmp_path / "natural", tmp_path / "v0"])
    brief = [
        brief_notes(front),
        brief_board_notes(board),
        brief_run_notes(run),
        comparison_notes(pair, brief=True),
    ]
    for lines in brief:
        assert lines[0].startswith("Sanity gate (details: --notes): ")  # the worst first
        assert len(lines) <= 12
        assert "a sentence of what it means" not in " ".join(lines)
        assert "test examples" in " ".join(lines)
    wrapped = sum(-(-len(line) // 120) for line in brief_notes(front))
    assert wrapped <= 16 < len(" ".join(notes(front))) / 120


def test_what_changes_how_a_number_is_read_is_kept(tmp_path, write):
    """Runs without a natural one, and a falls of any iterate."""
    write(tmp_path / "a", "pgd-at", 90, SCORES, sanity=[check()])
    write(tmp_path / "b", "max-at", 80, SCORES, sanity=[check()])
    (front,) = make_fronts(tmp_path).fronts
    text = " ".join(brief_notes(front))
    assert "A universal score needs a natural run in this group." in text
    assert "[low, high]" in text or "No intervals" in text
    assert "Hypervolume" in text
