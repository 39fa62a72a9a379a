"""The bootstrap of a statistic: it covers, and it is paired."""

import numpy as np
import pytest

from moat.outcomes.bootstrap import bootstrap_interval


def test_the_interval_of_a_median_covers_it_in_19_of_20_samples():
    generator = np.random.default_rng(0)
    samples = generator.exponential(size=(300, 60))
    low, high = bootstrap_interval(samples, draws=400)
    covered = ((low <= np.log(2)) & (np.log(2) <= high)).mean()
    assert 0.91 < covered < 0.99


def test_rows_are_resampled_together():
    values = np.random.default_rng(0).normal(size=50)
    low, high = bootstrap_interval(np.stack([values, values + 3]), np.mean)
    np.testing.assert_allclose(low[1] - low[0], 3)
    np.testing.assert_allclose(high[1] - high[0], 3)


def test_equal_values_have_an_interval_without_width_and_no_values_none():
    assert [float(end) for end in bootstrap_interval([2.0] * 6)] == [2, 2]
    assert all(np.isnan(end).all() for end in bootstrap_interval(np.zeros((3, 0))))


@pytest.mark.parametrize("count", range(1, 9))
def test_of_too_few_examples_there_is_no_interval(count):
    values = np.random.default_rng(0).normal(size=(2, count))
    for end in bootstrap_interval(values, draws=50):
        assert end.shape == (2,)
        assert np.isfinite(end).all() == (1 - 2.0 ** (1 - count) >= 0.95)
