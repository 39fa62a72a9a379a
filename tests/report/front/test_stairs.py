import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.report.front.stairs import boxes_along, gain_and_loss, staircase

COORDINATE = st.integers(0, 12).map(float)
FRONTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=7).map(np.array)
SIGNS = st.sampled_from([(1, 1), (-1, 1), (1, -1), (-1, -1)]).map(np.array)
WORST = np.array([14.0, 14.0])


def area(boxes) -> float:
    return sum((right - left) * (top - bottom) for left, bottom, right, top in boxes)


def dominated(points, at) -> bool:
    return bool((points <= at).all(1).any())


@given(ours=FRONTS, theirs=FRONTS, signs=SIGNS)
def test_a_place_is_tinted_as_the_one_front_that_dominates_it(ours, theirs, signs):
    tints = gain_and_loss(ours * signs, theirs * signs, signs, WORST * signs)
    for x in np.arange(0.5, 14):
        for y in np.arange(0.5, 14):
            across, up = np.array([x, y]) * signs
            inside = [
                sum(
                    left < across < right and bottom < up < top for left, bottom, right, top in tint
                )
                for tint in tints
            ]
            one, two = dominated(ours, (x, y)), dominated(theirs, (x, y))
            assert inside == [one and not two, two and not one]


@given(ours=FRONTS, theirs=FRONTS)
def test_what_is_gained_less_what_is_lost_is_the_hypervolume_s_difference(ours, theirs):
    from moat.fronts import hypervolume

    gained, lost = gain_and_loss(ours, theirs, np.ones(2), WORST)
    difference = hypervolume(ours, WORST) - hypervolume(theirs, WORST)
    assert area(gained) - area(lost) == pytest.approx(difference)


@given(points=FRONTS, signs=SIGNS)
def test_a_staircase_runs_straight_from_edge_to_edge_through_the_members(points, signs):
    corners = staircase(points * signs, signs, WORST * signs)
    steps = np.diff(corners, axis=0)
    assert ((steps == 0).sum(1) >= 1).all()  # across or up, never aslant
    assert corners[0, 1] == WORST[1] * signs[1]
    assert corners[-1, 0] == WORST[0] * signs[0]
    best = [p for p in points if not any((q <= p).all() and (q < p).any() for q in points)]
    assert {tuple(p * signs) for p in best} <= {tuple(c) for c in corners}
    assert len(boxes_along(corners)) == len(corners) - 1
