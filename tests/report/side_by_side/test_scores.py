import numpy as np
import pytest

from moat.report import compare_runs


def found(comparison, score):
    (one,) = (one for one in comparison.scores if one.score == score)
    return one


def test_every_score_is_that_of_the_runs_own_folder(study):
    paths = [study / name / "plain" / "seed-0" for name in ("natural", "mgda", "max-at")]
    comparison = compare_runs(paths)
    assert [one.score for one in comparison.scores] == [
        *("natural", "pgd", "flow", "rt", "integrated", "total", "union")
    ]
    for place, run in enumerate(comparison.runs):
        expected = {**run.point.scores, "natural": run.point.natural}
        expected |= {"total": run.point.total, "union": run.point.union}
        assert {one.score: one.values[place] for one in comparison.scores} == pytest.approx(
            expected
        )


def test_a_difference_is_the_other_run_minus_the_first(paths):
    comparison = compare_runs(paths)
    flow = found(comparison, "flow")
    assert flow.values == pytest.approx((100 * 3 / 6, 100 * 4 / 6))
    (difference,) = flow.differences
    assert difference.value == pytest.approx(100 / 6)
    (turned,) = found(compare_runs(paths[::-1]), "flow").differences
    assert turned.value == pytest.approx(-100 / 6)


def test_the_order_of_the_examples_does_not_matter(pair, enter):
    paths = [run.path for run in pair]
    before = compare_runs(paths)
    arrays, _ = pair[1].load_evaluation()
    order = [3, 0, 5, 1, 4, 2]
    enter(pair[1], arrays["outcomes"][order], arrays["ids"][order])
    after = compare_runs(paths)
    assert after.scores == before.scores
    assert [one.only(1) for one in after.withstood] == [one.only(1) for one in before.withstood]


def test_what_is_alike_in_both_runs_does_not_widen_the_interval(pair, enter):
    for run in pair:
        enter(run, np.random.default_rng(0).integers(0, 2, (500, 4)))
    comparison = compare_runs([run.path for run in pair])
    for score in comparison.scores:
        (difference,) = score.differences
        assert difference.value == 0
        assert 0 < difference.high == -difference.low < 3  # no width would be certainty
        assert not score.differences[0].excludes_zero


def test_the_interval_is_about_that_of_the_normal_approximation(pair, enter):
    generator = np.random.default_rng(1)
    rows = [generator.integers(0, 2, (2000, 4)) for _ in pair]
    for run, values in zip(pair, rows, strict=True):
        enter(run, values)
    (difference,) = found(compare_runs([run.path for run in pair]), "natural").differences
    each = 100.0 * (rows[1][:, 0] - rows[0][:, 0])
    half = 1.96 * each.std() / np.sqrt(len(each))
    assert difference.value == pytest.approx(each.mean())
    assert difference.low == pytest.approx(each.mean() - half, abs=0.2 * half)
    assert difference.high == pytest.approx(each.mean() + half, abs=0.2 * half)


@pytest.mark.parametrize("gained", [1, 2, 12])
def test_an_end_at_zero_does_not_exclude_it(pair, enter, gained):
    """Of few gained and as many lost examples among many, resamples at exactly 0 abound."""
    ours = np.ones((3000, 4))
    theirs = ours.copy()
    ours[:gained], theirs[gained : 2 * gained] = 0, 0
    for run, values in zip(pair, (ours, theirs), strict=True):
        enter(run, values)
    comparison = compare_runs([run.path for run in pair])
    assert not any(one.differences[0].excludes_zero for one in comparison.scores)


def test_a_large_difference_excludes_zero_in_the_direction_that_it_has(pair, enter):
    ours, theirs = np.ones((200, 4)), np.ones((200, 4))
    theirs[:50] = 0
    for run, values in zip(pair, (ours, theirs), strict=True):
        enter(run, values)
    paths = [run.path for run in pair]
    for order, sign in ((paths, -1), (paths[::-1], 1)):
        (difference,) = found(compare_runs(order), "union").differences
        assert difference.excludes_zero
        assert difference.value == pytest.approx(25.0 * sign)


def test_a_score_that_was_not_searched_for_every_example_is_absent(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 90, (60, 50, 40, 30), union_only=True)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    for score in comparison.scores:
        whole = score.score in ("natural", "union")
        assert (None not in score.values) == whole
        assert (None not in score.differences) == whole


def test_without_summed_threats_there_is_no_total(tmp_path, write):
    protocol = {"threats": {"pgd": {"type": "pgd", "at_steps": [2]}}, "summed": []}
    for name in "ab":
        write(tmp_path / name, name, 90, (60,), protocol=protocol)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert [one.score for one in comparison.scores] == ["natural", "pgd", "union"]


def test_ensembles_are_scored_as_threats_are(tmp_path, write, judged_any_way):
    for name, accuracy in (("a", 60), ("b", 40)):
        write(tmp_path / name, name, 90, (accuracy, 50, 70), protocol=judged_any_way)
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert found(comparison, "strong").values == pytest.approx((50, 40))
