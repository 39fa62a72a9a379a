import pytest

from moat.report import read_points
from moat.report.groups import group_points
from moat.report.settings import guess_limit, is_guess, settings_of

SCORES = (10, 20, 30, 40)


def columns(results, variants=()):
    (group,) = group_points(read_points(results)[0])
    return settings_of(group, variants)


def names(results, variants=()):
    return [column.name for column in columns(results, variants)]


def test_natural_comes_first_then_the_others_as_they_were_read(study):
    assert names(study)[:6] == [
        *("natural", "average-at", "max-at", "mgda", "pareto r=0.2", "pareto r=0.5")
    ]


def test_variants_stand_in_the_order_that_is_asked_for_the_others_behind(study):
    found = names(study, ["unknown", "pgd-at", "pareto", "natural"])
    assert found[:3] == ["natural", "pgd-at", "pareto r=0.2"]
    assert found[-4:] == ["average-at", "max-at", "mgda", "spatial-at"]


def test_sweep_values_ascend_as_numbers_and_words_come_behind(tmp_path, write):
    for r in (10.0, "auto", 2.2, 0.5):
        write(tmp_path / f"r={r}", "pareto", 90, SCORES, r=r)
    assert names(tmp_path) == ["pareto r=0.5", "pareto r=2.2", "pareto r=10.0", "pareto r=auto"]


def test_seeds_share_a_column(tmp_path, write):
    for seed in (2, 0, 1):
        write(tmp_path / str(seed), "max-at", 90, SCORES, seed=seed)
        write(tmp_path / f"natural-{seed}", "natural", 90, SCORES, seed=seed)
    natural, robust = columns(tmp_path)
    assert (natural.name, robust.name) == ("natural", "max-at")
    assert [point.seed for point in robust.points] == [0, 1, 2]
    assert robust.first.seed == 0


def test_studies_stand_one_after_the_other_under_their_names(tmp_path, write):
    for study in ("b", "a"):
        write(tmp_path / f"1-{study}", "max-at", 90, SCORES, study=study)
        write(tmp_path / f"2-{study}", "natural", 90, SCORES, study=study)
    assert names(tmp_path) == ["a: natural", "a: max-at", "b: natural", "b: max-at"]


def test_a_seed_that_comes_twice_is_never_averaged(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES)
    write(tmp_path / "b", "max-at", 80, SCORES)
    assert names(tmp_path) == ["max-at [a]", "max-at [b]"]


def test_runs_that_were_trained_otherwise_are_never_averaged(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES, seed=0)
    run = write(tmp_path / "b", "max-at", 90, SCORES, seed=1)
    trains = {"scalarizer": {"type": "max"}, "seed": 1}
    run.write_record(run.read_record().replace(trains=trains))
    assert names(tmp_path) == ["max-at [a]", "max-at [b]"]


@pytest.mark.parametrize(
    ("classes", "limit"), [(2, 55), (10, 15), (100, 1.5), (257, 150 / 257), (1, 105)]
)
def test_a_guess_is_half_more_than_chance_and_at_most_five_points(classes, limit):
    assert guess_limit(classes) == pytest.approx(limit)


def test_a_run_that_did_not_train_is_told_from_one_that_did(tmp_path, write):
    write(tmp_path / "a", "max-at", 11, SCORES, classes=10)
    write(tmp_path / "b", "max-at", 15.1, SCORES, classes=10, seed=1)
    write(tmp_path / "c", "max-at", 1, SCORES, seed=2)  # who knows of how many classes
    (column,) = columns(tmp_path)
    assert [is_guess(point) for point in column.points] == [True, False, False]
    assert column.guesses == 1
