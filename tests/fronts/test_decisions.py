import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import FrontError
from moat.fronts.decisions import achievement, high_trade_offs, pseudo_weighted

LINE = [[0.0, 10.0], [2.5, 7.5], [5.0, 5.0], [7.5, 2.5], [10.0, 0.0]]
both = pytest.mark.parametrize("choose", [pseudo_weighted, achievement])


@both
@pytest.mark.parametrize(
    ("weights", "place"), [([1, 0], 0), ([3, 1], 1), ([0.5, 0.5], 2), ([1, 3], 3), ([0, 1], 4)]
)
def test_on_a_straight_front_the_weights_say_where_to_stand(choose, weights, place):
    assert choose(LINE, weights) == place


@both
def test_objectives_of_other_units_are_scaled(choose):
    wide = np.array(LINE) * [1, 1000]
    assert choose(wide, [3, 1]) == choose(LINE, [3, 1])


@both
def test_an_objective_in_which_all_are_equal_changes_nothing(choose):
    flat = np.column_stack([LINE, np.full(5, 7.0)])
    assert choose(flat, [3, 1, 0]) == 1


@both
def test_of_one_point_that_one_is_chosen(choose):
    assert choose([[3.0, 4.0]], [1, 1]) == 0


@given(st.integers(0, 10_000))
def test_the_least_worst_weighted_distance_is_found(seed):
    draws = np.random.default_rng(seed)
    points, weights = draws.random((9, 3)), draws.random(3) + 0.1
    low, high = points.min(0), points.max(0)
    worst = ((points - low) / (high - low) * weights).max(1)
    assert worst[achievement(points, weights)] == pytest.approx(worst.min())


@both
@pytest.mark.parametrize("weights", [[1], [1, 1, 1], [-1, 2], [0, 0]])
def test_weights_that_are_no_preference_are_refused(choose, weights):
    with pytest.raises(FrontError, match="one weight of at least 0 for each of 2 objectives"):
        choose(LINE, weights)


@both
def test_nothing_cannot_be_chosen_from(choose):
    with pytest.raises(FrontError, match="the set of points is empty"):
        choose(np.empty((0, 2)), [1, 1])


def test_a_knee_is_where_a_small_gain_costs_much():
    x = np.linspace(0, 1, 41)
    bent = np.column_stack([x, np.where(x < 0.25, 1 - 3.6 * x, 0.1 - 0.1 * (x - 0.25) / 0.75)])
    found = high_trade_offs(bent)
    assert found
    assert all(abs(x[place] - 0.25) < 0.1 for place in found)


def test_copies_of_a_point_are_one_point():
    x = np.linspace(0, 1, 41)
    bent = np.column_stack([x, np.where(x < 0.25, 1 - 3.6 * x, 0.1 - 0.1 * (x - 0.25) / 0.75)])
    assert high_trade_offs(np.concatenate([bent, bent])) == high_trade_offs(bent)


def test_few_points_have_no_knee():
    assert high_trade_offs(LINE[:4]) == []
