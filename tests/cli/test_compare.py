"""`moat compare`, as the shell sees it."""

import json

import numpy as np
import pytest

from moat.outcomes import NATURAL_COLUMN, Column, Outcomes
from moat.report.manifest import REPORT_MANIFEST
from moat.runs import RunFolder
from moat.testing.run_record import run_record

COLUMNS = (NATURAL_COLUMN, Column("pgd", 2))
PROTOCOL = {"threats": {"pgd": {"type": "pgd", "at_steps": [2]}}, "summed": ["pgd"]}


def write_run(path, label, values, protocol_hash="a" * 16):
    run = RunFolder(path)
    path.mkdir(parents=True)
    matrix = Outcomes(np.array(values, np.int8), COLUMNS, np.arange(len(values)))
    run.save_evaluation(matrix.to_arrays(), {})
    run.write_record(
        run_record(
            study="s",
            variant=label,
            trains={"scalarizer": {"type": label}},
            protocol=PROTOCOL,
            protocol_hash=protocol_hash,
        )
    )


@pytest.fixture
def runs(tmp_path):
    write_run(tmp_path / "s/max/seed-0", "max", [[1, 1], [1, 0], [1, 0]])
    write_run(tmp_path / "s/mgda/seed-0", "mgda", [[1, 1], [1, 1], [0, 0]])
    return "s/max/seed-0", "s/mgda"


def test_two_runs_are_shown_side_by_side(moat, runs):
    answer = moat("compare", *runs)
    assert (answer.code, answer.err) == (0, "")
    words = " ".join(answer.out.split())
    assert "max s/max/seed-0 mgda s/mgda/seed-0" in words
    assert "scalarizer.type max mgda" in words
    assert "only mgda 0 1 1" in words


def test_json_is_plain_and_nothing_else_is_printed(moat, runs, tmp_path):
    answer = moat("compare", *runs, "--json", "--out", "out")
    told = json.loads(answer.out)
    assert told["recipe"] == {"scalarizer.type": {"max": "max", "mgda": "mgda"}}
    assert "wrote out/compare.json" in answer.err
    assert json.loads((tmp_path / "out/compare.json").read_text("utf-8")) == told


def test_files_are_written_where_they_are_asked_for(moat, runs, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    moat("compare", *runs)
    assert sorted(tmp_path.rglob("*")) == before
    answer = moat("compare", *runs, "--out", "out", "--ids")
    assert "wrote out/compare-examples.csv" in answer.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("compare.md", "compare.csv", "compare.json", "compare-examples.csv", REPORT_MANIFEST)
    }


def test_where_scores_cannot_be_paired_recipes_are_shown_and_the_code_is_2(moat, runs, tmp_path):
    write_run(tmp_path / "t/max/seed-0", "max", [[1, 1]] * 3, "b" * 16)
    for options in ([], ["--json"]):
        answer = moat("compare", "t", runs[1], *options)
        assert answer.code == 2
        assert "scalarizer.type" in answer.out
        assert answer.err.startswith("the scores are not compared")
        assert f"protocol_hash is {'b' * 16} and {'a' * 16}" in answer.err


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "Missing argument"),
        (["s/max"], "two runs or more can be compared; named: s/max/seed-0."),
        (["s/max", "s/max/seed-0"], "s/max/seed-0: this run is named twice."),
        (["s/max", "nowhere"], "nowhere: the folder does not exist."),
        (["s/max", "s"], "s: each argument is one run, but this folder contains 2."),
    ],
)
def test_what_cannot_be_compared_is_bad_input(moat, runs, names, said):
    answer = moat("compare", *names)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
