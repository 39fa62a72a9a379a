import numpy as np
import pytest

from moat.outcomes import percentile_interval, resampling_weights


def test_each_resample_weighs_all_examples_once_in_the_mean():
    weights = resampling_weights(50, draws=400)
    assert weights.shape == (400, 50)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.mean(0), 1 / 50, atol=0.005)


def test_the_same_seed_draws_the_same_resamples():
    np.testing.assert_array_equal(resampling_weights(9), resampling_weights(9))
    assert (resampling_weights(9) != resampling_weights(9, seed=1)).any()


def test_the_interval_of_an_accuracy_is_about_two_standard_errors_to_either_side():
    held = 100.0 * (np.arange(400) < 120)
    low, high = percentile_interval(resampling_weights(400) @ held)
    error = 100 * (0.3 * 0.7 / 400) ** 0.5
    assert low == pytest.approx(30 - 1.96 * error, abs=0.8)
    assert high == pytest.approx(30 + 1.96 * error, abs=0.8)


def test_an_interval_is_taken_of_each_score_alone():
    low, high = percentile_interval(np.array([[0.0, 10.0], [100.0, 20.0]]), level=1.0)
    assert (low.tolist(), high.tolist()) == ([0, 10], [100, 20])
