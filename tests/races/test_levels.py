import numpy as np
import pytest
from scipy import stats

from moat.races import nominal_level, t_interval, t_probabilities


@pytest.fixture(scope="module")
def no_effect() -> np.ndarray:
    """Differences of 40,000 races without effect, of seeds that no calibration draws."""
    return np.random.default_rng(11).standard_normal((40_000, 20))


@pytest.mark.parametrize(
    ("first", "last", "level"),
    [(3, 12, 0.05), (3, 3, 0.05), (2, 12, 0.05), (6, 20, 0.05), (3, 12, 0.1), (3, 12, 0.05 / 3)],
)
def test_a_race_without_effect_errs_as_often_as_its_level_says(no_effect, first, last, level):
    p = t_probabilities(no_effect[:, :last], first)
    wrong = (p < nominal_level(first, last, level)).any(-1).mean()
    assert wrong == pytest.approx(level, abs=0.004)


@pytest.mark.parametrize(("effect", "least", "seeds"), [(1.5, 0.96, 7.0), (2, 0.99, 5.6)])
def test_an_effect_of_some_deviations_is_found_within_few_seeds(no_effect, effect, least, seeds):
    crossed = t_probabilities(no_effect[:, :12] + effect, 3) < nominal_level(3, 12)
    assert crossed.any(-1).mean() > least
    assert np.where(crossed.any(-1), crossed.argmax(-1) + 3, 12).mean() < seeds


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_the_p_of_each_look_is_that_of_a_paired_t_test(no_effect, seeds):
    each = no_effect[0] + 0.4
    expected = stats.ttest_1samp(each[:seeds], 0).pvalue
    assert t_probabilities(each, 2)[seeds - 2] == pytest.approx(expected)
    low, high = stats.ttest_1samp(each[:seeds], 0).confidence_interval(0.99)
    assert t_interval(each[:seeds], 0.01) == pytest.approx((each[:seeds].mean(), low, high))


@pytest.mark.parametrize(("difference", "p"), [(0.0, 1.0), (0.1, 0.0), (-60.3, 0.0)])
def test_equal_differences_have_no_spread_and_no_rounding_makes_one(difference, p):
    each = np.full(7, difference)
    assert t_probabilities(each, 3).tolist() == [p] * 5
    assert t_interval(each, 0.05)[1:] == pytest.approx((difference, difference), abs=1e-12)


@pytest.mark.parametrize("level", [1e-300, 1e-9, 1e-6, 1e-4, 0.001, 0.05, 0.5])
def test_the_level_of_a_look_is_between_its_share_and_the_whole(level):
    assert level / 10 <= nominal_level(3, 12, level) <= level
