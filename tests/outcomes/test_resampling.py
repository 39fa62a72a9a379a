import numpy as np

from moat.outcomes import resampling_weights


def test_each_resample_weighs_all_examples_once_in_the_mean():
    weights = resampling_weights(50, draws=400)
    assert weights.shape == (400, 50)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.mean(0), 1 / 50, atol=0.005)


def test_the_same_seed_draws_the_same_resamples():
    np.testing.assert_array_equal(resampling_weights(9), resampling_weights(9))
    assert (resampling_weights(9) != resampling_weights(9, seed=1)).any()
