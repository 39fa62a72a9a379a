import numpy as np
import pytest

from moat.races.grid import least_deviation, score_grid


@pytest.mark.parametrize("images", [7, 360, 1000, 10_000, 30_000])
def test_the_grid_of_shares_is_that_of_the_number_of_images(images):
    counts = np.random.default_rng(images).integers(0, images + 1, 60)
    assert score_grid((100 * counts / images).tolist()) == pytest.approx(100 / images)
    assert least_deviation([0.0, 100 / images]) == pytest.approx(100 / images / 12**0.5)


def test_continuous_and_equal_scores_have_no_grid():
    assert score_grid(np.random.default_rng(1).normal(60, 3, 8)) < 1e-4
    assert score_grid([]) == score_grid([60.0] * 4) == 0
