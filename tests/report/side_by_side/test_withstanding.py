import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from moat.report import compare_runs
from moat.report.side_by_side.withstanding import Withstanding


def made(held):
    held = np.array(held, dtype=bool)
    return Withstanding("pgd", np.arange(held.shape[1]) * 10, held)


def test_who_withstands_what_is_counted_an_example_at_a_time(paths):
    found = {one.what: one for one in compare_runs(paths).withstood}
    assert list(found) == ["natural", "pgd", "flow", "union"]
    pgd = found["pgd"]  # at 2 and at 4 steps
    assert (pgd.all, pgd.none, pgd.some) == (1, 1, 0)
    assert (pgd.only(0), pgd.only(1)) == ([4, 5], [1, 2])
    union = found["union"]
    assert (union.all, union.none) == (1, 3)
    assert (union.only(0), union.only(1)) == ([5], [1])
    assert (found["natural"].only(0), found["natural"].only(1)) == ([4], [3])


def test_of_several_runs_an_example_may_be_withstood_by_some():
    found = made([[1, 1, 0, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
    assert (found.all, found.some, found.none) == (1, 1, 1)
    assert [found.only(run) for run in range(3)] == [[30], [], []]
    assert found.p is None


@given(held=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=2, max_size=5))
def test_every_example_is_counted_once(held):
    found = made(held)
    alone = [len(found.only(run)) for run in range(len(held))]
    assert found.all + found.none + found.some + sum(alone) == 7


@given(ours=st.integers(0, 300), theirs=st.integers(0, 300))
def test_p_is_that_of_the_exact_binomial_test(ours, theirs):
    held = [[1] * ours + [0] * theirs + [1, 0], [0] * ours + [1] * theirs + [1, 0]]
    expected = binomtest(ours, ours + theirs, 0.5).pvalue if ours + theirs else 1.0
    assert made(held).p == pytest.approx(expected, rel=1e-9)


def test_what_was_not_searched_for_every_example_is_not_counted(tmp_path, write):
    for name in "ab":
        write(tmp_path / name, name, 90, (60, 50, 40, 30), union_only=True)
    found = {one.what: one for one in compare_runs([tmp_path / "a", tmp_path / "b"]).withstood}
    assert found["natural"].all == 900
    assert found["union"].p == 1
    pgd = found["pgd"]
    assert (pgd.all, pgd.some, pgd.none, pgd.only(0), pgd.p) == (None,) * 5
