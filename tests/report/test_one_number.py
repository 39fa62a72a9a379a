"""A score is one number, whichever view shows it."""

import csv
import io
import itertools
import json
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moat.frames import results
from moat.outcomes import NATURAL_COLUMN, Column, Outcomes
from moat.report import compare_runs, comparison_table, make_fronts, make_scoreboards, score_runs
from moat.report.front.data import csv_text, json_text
from moat.report.interactive.front import said_of_setting
from moat.report.scores.rows import scores_csv

EXAMPLES = 7
PROTOCOL = {
    "threats": {
        "pgd": {"type": "pgd", "epsilon": 0.1, "at_steps": [2, 4], "restarts": 2},
        "union": {"type": "flow", "at_epsilon": [0.1, 0.3], "steps": 5},
        "total": {"type": "rt", "at_steps": [1]},
    },
    "ensembles": {"both": ["pgd", "total"]},
    "summed": ["pgd", "union"],
}
COLUMNS = (
    NATURAL_COLUMN,
    *(Column("pgd", steps, restart) for restart in (0, 1) for steps in (2, 4)),
    *(Column("union", radius, 0, "epsilon") for radius in (0.1, 0.3)),
    Column("total", 1),
)
matrices = st.lists(
    st.lists(st.integers(0, 1), min_size=len(COLUMNS), max_size=len(COLUMNS)),
    min_size=EXAMPLES,
    max_size=EXAMPLES,
)


def counted(matrix):
    """Return every score of a matrix, counted an example at a time."""

    def withstood(row, threat, strength):
        searches = [
            outcome
            for column, outcome in zip(COLUMNS, row, strict=True)
            if column.threat == threat
            and (column.strength == strength or (column.by == "epsilon" and column[1] < strength))
        ]
        return all(searches)

    def share(*searches):
        return 100 * fmean(all(withstood(row, *one) for one in searches) for row in matrix)

    natural, pgd, total = ("natural", 0), [("pgd", 2), ("pgd", 4)], ("total", 1)
    radii = [("union", 0.1), ("union", 0.3)]
    robust = {
        "pgd": fmean(share(one) for one in pgd),
        "union (threat)": fmean(share(one) for one in radii),
        "total (threat)": share(total),
        "both": share(*pgd, total),
    }
    return {
        "natural": share(natural),
        **robust,
        "total": robust["pgd"] + robust["union (threat)"],
        "union": share(natural, *pgd, *radii, total),
    }


def under_titles(scores):
    """Return scores of threats under the titles that tells them from other scores."""
    return {f"{n} (threat)" if n in ("union", "total") else n: v for n, v in scores.items()}


def views_of(folder, runs):
    """Yield the view, the run, and its scores by their titles."""
    for one in score_runs([folder / run for run in runs]):
        table = json.loads(json.dumps(one.as_table()))
        rest = {name: table[name] for name in ("natural", "total", "union")}
        yield "moat score", one.path.name, {**under_titles(table["scores"]), **rest}
    (front,) = make_fronts(folder).fronts
    rows = list(csv.DictReader(io.StringIO(csv_text(front))))
    for row in rows:
        robust = {name[7:]: float(v) for name, v in row.items() if name.startswith("scores.")}
        rest = {name: float(row[name]) for name in ("natural", "total", "union")}
        yield "front.csv", row["folder"], {**under_titles(robust), **rest}
    for run in json.loads(json_text(front, []))["runs"]:
        rest = {name: run[name] for name in ("natural", "total", "union")}
        yield "front.json", run["folder"], {**under_titles(run["scores"]), **rest}
    (board,) = make_scoreboards(folder).boards
    lines = list(csv.DictReader(io.StringIO(scores_csv(board))))
    for run, of_run in itertools.groupby(lines, lambda line: line["folders"]):
        yield "report.csv", run, {line["score"]: float(line["ours"]) for line in of_run}
    compared = comparison_table(compare_runs([folder / run for run in runs]))
    for place, run in enumerate(runs):
        name = compared["runs"][place]["name"]
        yield "compare.json", run, {one["score"]: one["values"][name] for one in compared["scores"]}
    scores = results(folder).scores
    for run in runs:
        of_run = {
            "union (threat)" if one["threat"] == "union" else one["threat"] or one["score"]: one
            for one in scores.filter(run=run).iter_rows(named=True)
            if one["score"] != "accuracy" and one["score"] != "conditional"
        }
        of_run["total (threat)"] = scores.filter(run=run, score="robustness", threat="total").row(
            0, named=True
        )
        of_run["total"] = scores.filter(run=run, score="total").row(0, named=True)
        yield ".scores", run, {name: one["value"] for name, one in of_run.items()}


@settings(max_examples=12)
@given(one=matrices, other=matrices)
def test_every_view_of_a_run_says_the_same_number(one, other, tmp_path_factory, write):
    folder = tmp_path_factory.mktemp("results")
    matrices = {"a": one, "natural": other}
    for run, matrix in matrices.items():
        written = write(folder / run, run, 50, (50,) * 3, protocol=PROTOCOL, examples=EXAMPLES)
        found = Outcomes(
            np.array(matrix, np.int8),
            COLUMNS,
            np.arange(EXAMPLES),
            ensembles={"both": ("pgd", "total")},
        )
        written.save_evaluation(found.to_arrays(), {})
    expected = {run: counted(matrix) for run, matrix in matrices.items()}
    gain = expected["a"]["total"] - expected["natural"]["total"]
    seen = set()
    for view, run, scores in views_of(folder, list(matrices)):
        for name, value in expected[run].items():
            assert scores[name] == pytest.approx(value, abs=1e-9), (view, run, name)
        if "universal" in scores:
            assert scores["universal"] == pytest.approx(gain if run == "a" else 0), view
        seen.add((view, run))
    assert len(seen) == 2 * 6
    (front,) = make_fronts(folder).fronts
    for place, setting in enumerate(front.settings):
        said = said_of_setting(front, place)
        for name, value in expected[setting.name].items():
            assert f"{name}: {value:z.1f}" in said
