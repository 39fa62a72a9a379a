"""The table of fronts by their cost: known points give known shares of the box."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from moat.study import plan

ROOT = Path(__file__).parents[2]
FULL = ["independent passes=900 natural=1", "independent passes=900 natural=0"]


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.front_for_one")


@pytest.fixture
def found(benchmark, monkeypatch, tmp_path):
    """Read the fronts of some runs: (label, seed, passes, natural, total)."""
    (tmp_path / "digits_front").mkdir()

    def read(*runs):
        names = ("label", "seed", "passes", "natural", "total")
        others = {"study": pl.lit("digits_front"), "union": pl.lit(0.0)}
        frame = pl.DataFrame([dict(zip(names, run, strict=True)) for run in runs]).with_columns(
            variant=pl.col("label").str.split(" ").list.first(), **others
        )
        monkeypatch.setattr(benchmark.moat, "results", lambda *_: SimpleNamespace(runs=frame))
        return benchmark.fronts(benchmark.finished("digits_front", tmp_path))

    return read


def full(seed, share=0.25):
    """Two runs of 900 passes that dominate a share of the box from (80, 0) to (100, 300)."""
    return [(FULL[0], seed, 900, 90, 600 * share), (FULL[1], seed, 900, 79.0, 290.0)]


def test_a_front_is_the_share_of_the_box_that_its_points_dominate_and_costs_all_their_passes(found):
    path = [
        ("path passes=450 natural=3", 0, 450, 90, 150),
        ("path passes=450 natural=0", 0, 45, 85, 300),
    ]
    rows = {row["method"]: row for row in found(*full(0), *path).rows(named=True)}
    assert rows["five trainings, all threats"]["hypervolume"] == pytest.approx(25)
    assert rows["five trainings, all threats"]["passes"] == 2
    assert rows["path up, all threats, passes=450"]["hypervolume"] == pytest.approx(
        100 * (10 * 150 + 5 * 150) / 6000
    )
    assert rows["path up, all threats, passes=450"]["passes"] == pytest.approx(0.55)


def test_the_share_of_the_full_front_is_paired_by_seed(benchmark, found):
    film = [("film passes=900 at=1", seed, 900, 90, total) for seed, total in ((0, 150), (1, 300))]
    text = benchmark.table(found(*full(0), *full(1, 0.5), *film))
    (line,) = [line for line in text.splitlines() if line.startswith("conditioned")]
    assert "  100.0 [100.0, 100.0]  " in line


def test_a_method_is_compared_with_any_other_and_paired_by_seed(benchmark, found):
    film = [("film passes=900 at=1", seed, 900, 90, total) for seed, total in ((0, 210), (1, 360))]
    text = benchmark.table(
        found(*full(0), *full(1, 0.5), *film), "conditioned network, all threats, passes=900"
    )
    assert text.splitlines()[0].endswith("less conditioned network, all threats, passes=900")
    (line,) = [line for line in text.splitlines() if line.startswith(benchmark.FULL)]
    assert line.endswith("  -10.0 [-10.0, -10.0]")


def test_the_best_point_alone_and_the_ranges_show_how_much_choice_a_front_has(found):
    path = [
        ("path passes=450 natural=3", 0, 450, 90, 150),
        ("path passes=450 natural=0", 0, 45, 85, 210),
    ]
    rows = {row["method"]: row for row in found(*full(0), *path).rows(named=True)}
    assert rows["path up, all threats, passes=450"]["alone"] == pytest.approx(100 * 10 * 150 / 6000)
    assert rows["path up, all threats, passes=450"]["natural range"] == 5
    assert rows["path up, all threats, passes=450"]["total range"] == 60


def test_the_best_of_the_plain_trainings_is_a_method_of_one_point(found):
    rows = {row["method"]: row for row in found(*full(0), *full(1, 0.5)).rows(named=True)}
    alone = rows["one training, all threats"]
    assert (alone["points"], alone["passes"], alone["hypervolume"]) == (1, 1.0, 50.0)


def test_a_front_that_lacks_a_point_is_left_out(found):
    rows = found(*full(0), full(1)[0]).filter(pl.col("method") == "five trainings, all threats")
    assert set(rows["seed"]) == {0}


@pytest.mark.parametrize("study", ["digits_front", "digits_front_twofold", "mnist14_front"])
def test_the_recipes_of_a_study_have_five_points_for_each_method_and_seed(benchmark, study):
    plans = plan(ROOT / "recipes" / f"{study}.toml")
    points = pl.DataFrame([{"label": run.label, "seed": run.seed} for run in plans])
    counts = points.with_columns(method=benchmark.method_of()).group_by("method", "seed").len()
    assert set(counts["len"]) == {5}
    assert set(counts["seed"]) == set(range(5))
    assert benchmark.FULL in set(counts["method"])


@pytest.mark.parametrize("study", ["digits_front"])
def test_a_kept_table_gives_the_same_fronts_as_its_runs(benchmark, study):
    stored = ROOT / "docs" / "results"
    if not stored.exists():
        pytest.skip("the source distribution has no results")
    runs = benchmark.finished(study, stored)
    assert set(benchmark.fronts(runs)["seed"]) == set(range(5))


def test_a_table_keeps_the_runs_of_other_seeds_and_replaces_the_same_ones(benchmark, tmp_path):
    def scores(seed, passes):
        plain = {"study": "s", "variant": "v", "label": "v r=1", "natural": 9.5, "total": 2.0}
        return pl.DataFrame([{**plain, "seed": seed, "passes": passes, "union": 0.0}]).select(
            benchmark.COLUMNS
        )

    table = tmp_path / "s.csv"
    for runs in (scores(1, 5), scores(0, 6), scores(1, 7.5)):
        benchmark.keep(runs, table)
    assert pl.read_csv(table).select("seed", "passes").rows() == [(0, 6.0), (1, 7.5)]


def test_missing_results_end_with_the_mend(benchmark, tmp_path):
    with pytest.raises(SystemExit, match="leave out --stored"):
        benchmark.finished("digits_front", tmp_path)
