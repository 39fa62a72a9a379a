import numpy as np
import pytest

from moat.races import Design, flip_probability, flips_reject

DESIGN = Design(first=6, last=10, exact=True)
SKEWED_SIZES = {
    "normal": lambda draw: np.abs(draw.standard_normal(10)),
    "heavy": lambda draw: np.abs(draw.standard_cauchy(10)),
    "equal": lambda draw: np.ones(10),
}


@pytest.mark.parametrize("sizes", SKEWED_SIZES)
def test_flips_err_at_most_at_their_level_whatever_the_sizes_of_the_differences(sizes):
    draw = np.random.default_rng(5)
    wrong = [
        flips_reject(SKEWED_SIZES[sizes](draw) * draw.choice([-1, 1], 10), DESIGN, 0.05)
        for _ in range(1000)
    ]
    assert np.mean(wrong) <= 0.05 + 0.015
    if sizes == "normal":
        assert np.mean(wrong) >= 0.05 - 0.02  # discrete sums leave little unspent


def test_all_races_of_the_same_sizes_err_at_most_at_the_level_exactly():
    sizes = np.array([1.0, 0.3, 2.0, 1.7, 0.9, 1.1, 0.2, 0.6])
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1).T
    design = Design(first=6, last=8, exact=True)
    wrong = np.mean([flips_reject(sizes * one, design, 0.1) for one in signs])
    assert 0.05 < wrong <= 0.1


@pytest.mark.parametrize(("effect", "least"), [(1.0, 0.65), (2.0, 0.99)])
def test_flips_find_a_planted_effect(effect, least):
    draw, design = np.random.default_rng(6), Design(first=6, last=12, exact=True)
    found = [flips_reject(draw.standard_normal(12) + effect, design, 0.05) for _ in range(200)]
    assert np.mean(found) >= least


def test_more_seeds_than_can_be_flipped_one_by_one_are_flipped_at_random():
    draw, design = np.random.default_rng(7), Design(first=10, last=18, exact=True)
    wrong = [flips_reject(draw.standard_normal(18), design, 0.05) for _ in range(150)]
    assert np.mean(wrong) <= 0.1
    assert flips_reject(draw.standard_normal(18) + 2, design, 0.05)


def test_too_few_seeds_for_the_level_reject_nothing_and_a_one_sided_test_sees_one_side():
    assert not flips_reject([1.0] * 4, Design(first=3, last=12, exact=True), 0.05)
    many = [1.0, 1.2, 0.9, 1.1, 1.3, 0.8, 1.0, 1.1, 1.2, 0.7]
    assert flips_reject(many, DESIGN, 0.05, one_sided=True)
    assert not flips_reject([-one for one in many], DESIGN, 0.05, one_sided=True)
    assert flips_reject([-one for one in many], DESIGN, 0.05)


def test_the_p_of_flips_is_a_share_of_all_flips():
    assert flip_probability([1.0, 2.0, 4.0]) == 2 / 8
    assert flip_probability([0.0, 0.0, 0.0]) == 1
    assert flip_probability([1.0, -1.0]) == 1
