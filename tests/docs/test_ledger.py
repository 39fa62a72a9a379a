"""The figures of docs/reproduction.md are those of the results in docs/results."""

import re
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

import moat
from moat.report.race.race import read_race

ROOT = Path(__file__).parents[2]
STORED = ROOT / "docs" / "results"
LEDGER = (ROOT / "docs" / "reproduction.md").read_text("utf-8")
SCORES = ("natural", "pgd", "flow", "rt", "total", "union")
pytestmark = pytest.mark.skipif(
    not STORED.exists(), reason="the source distribution has no results"
)


def table_after(start):
    """Return the cells of the first table after a text, without its two lines of heading."""
    lines = LEDGER[LEDGER.index(start) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip().replace("*", "") for cell in line.strip("|").split("|")])
    raise AssertionError("the table has no end")


def test_the_scores_of_the_rules_are_the_means_of_the_stored_runs():
    runs = moat.results(STORED / "mnist14_rules.zip")
    threats = runs.scores.filter(
        pl.col("score") == "robustness", pl.col("threat").is_in(SCORES)
    ).pivot("threat", index="run", values="value")
    means = (
        runs.runs.join(threats, on="run")
        .group_by("label")
        .agg(pl.len().alias("seeds"), pl.col(SCORES).mean())
    )
    rows = table_after("`recipes/mnist14_rules.toml` states")
    assert {row[0]: row[1:7] for row in rows} == {
        row["label"]: [f"{row[name]:.1f}" for name in SCORES] for row in means.rows(named=True)
    }
    assert set(means["seeds"]) == {5}


def test_the_race_of_h1_is_that_of_the_stored_runs(tmp_path):
    with ZipFile(STORED / "mnist14_race.zip") as bundle:
        bundle.extractall(tmp_path)
    race = read_race(tmp_path / "mnist14_rules" / "race.json")
    said = " ".join(LEDGER.split())
    for label, name in (("pareto r=0.8", "r = 0.8"), ("pareto-relative rho=0.6", "rho = 0.6")):
        found = race.verdicts[label]
        assert found.verdict == "worse"
        points = (
            rf"{-found.difference:.1f}( points of total)? \[{-found.high:.1f}, {-found.low:.1f}\]"
        )
        assert re.search(f"by {points} for {name}", said)


@pytest.mark.parametrize("study", ["digits_front", "mnist14_front"])
def test_the_table_of_fronts_is_that_of_the_stored_runs(monkeypatch, study):
    monkeypatch.syspath_prepend(ROOT)
    benchmark = import_module("benchmarks.front_for_one")
    found = benchmark.table(benchmark.fronts(benchmark.finished(study, STORED))).splitlines()[1:]
    rows = table_after(f"(`recipes/{study}.toml`")
    assert sorted(figures(" ".join(row[1:])) for row in rows) == sorted(map(figures, found))


def figures(line):
    """Return the numbers of a line that have decimals, but for the share of the full front."""
    return [number for number in re.findall(r"\d+\.\d+", line) if number != "100.0"]
