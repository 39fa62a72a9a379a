import pytest

from moat import outcomes as scoring
from moat.report import outcomes_of, read_points
from moat.report.groups import group_points
from moat.report.rows import rows_of


def rows_by_name(results):
    (group,) = group_points(read_points(results)[0])
    return {row.name: row for row in rows_of(group)}


def test_the_universal_score_is_that_of_the_stored_outcomes(tmp_path, write):
    natural = write(tmp_path / "a", "natural", 98, (29.4, 14.4, 16.7, 8))
    robust = write(tmp_path / "b", "max-at", 95, (65.2, 53.0, 51.5, 40))
    expected = scoring.universal(outcomes_of(robust), outcomes_of(natural), ["pgd", "flow", "rt"])
    rows = rows_by_name(tmp_path)
    assert rows["max-at"].universal == pytest.approx(expected)
    assert rows["max-at"].universal == pytest.approx(109.2)  # near Table 1's 109.19
    assert rows["max-at"].sacrificed == pytest.approx(3)
    assert (rows["natural"].universal, rows["natural"].sacrificed) == (0, 0)


def test_natural_accuracy_may_be_gained_and_is_then_sacrificed_below_zero(tmp_path, write):
    write(tmp_path / "a", "natural", 97, (10, 10, 10, 10))
    write(tmp_path / "b", "max-at", 98, (5, 5, 5, 5))
    row = rows_by_name(tmp_path)["max-at"]
    assert (row.sacrificed, row.universal) == (pytest.approx(-1), pytest.approx(-15))


def test_each_seed_is_compared_with_the_natural_run_of_its_own_seed(tmp_path, write):
    for seed, score in ((0, 10), (1, 20)):
        write(tmp_path / f"n{seed}", "natural", 98, (score, 0, 0, 0), seed=seed)
        write(tmp_path / f"m{seed}", "max-at", 95, (50, 0, 0, 0), seed=seed)
    rows = rows_by_name(tmp_path)
    assert rows["max-at seed 0"].universal == pytest.approx(40)
    assert rows["max-at seed 1"].universal == pytest.approx(30)
    assert rows["max-at seed 1"].baseline == ("natural seed 1",)


def test_a_seed_without_a_natural_run_is_compared_with_the_mean_of_all(tmp_path, write):
    write(tmp_path / "n0", "natural", 98, (10, 0, 0, 0), seed=0)
    write(tmp_path / "n1", "natural", 96, (20, 0, 0, 0), seed=1)
    write(tmp_path / "m2", "max-at", 95, (50, 0, 0, 0), seed=2)
    row = rows_by_name(tmp_path)["max-at seed 2"]
    assert row.universal == pytest.approx(35)
    assert row.sacrificed == pytest.approx(2)
    assert row.baseline == ("natural seed 0", "natural seed 1")


def test_runs_of_one_seed_are_measured_from_one_origin_whatever_their_study(tmp_path, write):
    for study, score in (("one", 10), ("two", 20)):
        write(tmp_path / study / "n", "natural", 98, (score, 0, 0, 0), study=study)
        write(tmp_path / study / "m", "max-at", 95, (50, 0, 0, 0), study=study)
    rows = rows_by_name(tmp_path)
    for name in ("one: max-at", "two: max-at"):
        assert rows[name].baseline == ("one: natural", "two: natural")
        assert rows[name].universal == pytest.approx(35)


def test_a_variant_that_is_only_called_natural_is_no_baseline(tmp_path, write):
    run = write(tmp_path / "n", "natural", 98, (10, 0, 0, 0))
    run.write_record(run.read_record().replace(trains={"scalarizer": {"type": "max"}}))
    assert rows_by_name(tmp_path)["natural"].universal is None


def test_without_a_natural_run_there_is_no_universal_score(tmp_path, write):
    write(tmp_path / "m", "max-at", 95, (50, 0, 0, 0))
    row = rows_by_name(tmp_path)["max-at"]
    assert (row.universal, row.sacrificed, row.baseline) == (None, None, ())


def test_names_say_study_and_seed_only_where_they_vary(tmp_path, write):
    write(tmp_path / "a", "pareto", 95, (1, 2, 3, 4), r=0.5)
    assert list(rows_by_name(tmp_path)) == ["pareto r=0.5"]
    write(tmp_path / "b", "pareto", 95, (1, 2, 3, 4), r=0.5, seed=1)
    assert list(rows_by_name(tmp_path)) == ["pareto r=0.5 seed 0", "pareto r=0.5 seed 1"]


def test_runs_that_would_share_a_name_are_told_apart_by_their_folders(tmp_path, write):
    write(tmp_path / "a", "max-at", 95, (1, 2, 3, 4))
    write(tmp_path / "b", "max-at", 96, (1, 2, 3, 4))
    assert list(rows_by_name(tmp_path)) == ["max-at [a]", "max-at [b]"]
