import numpy as np
import pytest

from moat.races import examples_error


def test_the_floor_is_the_deviation_of_the_mean_over_other_test_examples():
    draw = np.random.default_rng(1)
    shared, own, examples, seeds = 3.0, 10.0, 400, 5
    found, means = [], []
    for _ in range(300):
        each = shared * draw.standard_normal(examples) + own * draw.standard_normal(
            (seeds, examples)
        )
        found.append(examples_error(each))
        means.append(each.mean())
    floor, whole = shared / examples**0.5, np.std(means)
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(floor, rel=0.1)
    assert floor < whole  # which has the part that more seeds lower as well


def test_one_seed_has_the_error_of_its_mean_and_one_example_has_no_error_to_know():
    each = np.array([[0.0, 100.0, 0.0, 100.0]])
    assert examples_error(each) == pytest.approx(each.std(ddof=1) / 2)
    assert examples_error(each[0]) == examples_error(each)
    assert examples_error([[1.0]]) == np.inf
    assert examples_error(np.zeros((3, 50))) == 0
