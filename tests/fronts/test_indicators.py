import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moat.errors import FrontError
from moat.fronts import additive_epsilon, hypervolume, igd_plus, indicators, is_exact, non_dominated


@st.composite
def point_sets(draw) -> np.ndarray:
    shape = (draw(st.integers(0, 6)), draw(st.integers(1, 4)))
    return draw(arrays(np.float64, shape, elements=st.integers(0, 12).map(lambda n: n / 8)))


def by_inclusion_and_exclusion(points: np.ndarray, corner: np.ndarray) -> float:
    """Sum the boxes from each point to the corner, less what pairs share, and so on."""
    volume = 0.0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            sides = np.clip(corner - np.max(chosen, axis=0), 0, None)
            volume -= (-1) ** size * float(np.prod(sides))
    return volume


@given(points=point_sets())
def test_the_hypervolume_is_the_volume_of_the_union_of_boxes(points):
    corner = np.ones(points.shape[1])
    expected = by_inclusion_and_exclusion(points, corner)
    assert hypervolume(points, corner) == pytest.approx(expected, abs=1e-12)


@given(points=point_sets())
def test_another_point_never_lessens_the_hypervolume(points):
    corner = np.ones(points.shape[1])
    more = np.vstack([points, np.full(points.shape[1], 0.5)])
    assert hypervolume(more, corner) >= hypervolume(points, corner) - 1e-12


def test_points_beyond_the_reference_count_for_nothing():
    assert hypervolume([[0.0, 0.5], [-5.0, 2.0], [1.0, 0.0]], [1, 1]) == 0.5
    assert hypervolume([[2.0, 2.0]], [1, 1]) == 0
    assert hypervolume(np.empty((0, 2)), [1, 1]) == 0


def test_a_reference_of_another_length_is_refused():
    with pytest.raises(FrontError) as raised:
        hypervolume([[0.0, 0.5]], [1, 1, 1])
    assert raised.value.message == "the reference point has shape (3,) for 2 objectives."


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_reference_that_is_not_finite_is_refused(broken):
    with pytest.raises(FrontError) as raised:
        hypervolume([[0.0, 0.5]], [1, broken])
    assert raised.value.message == f"the reference point is not finite: [1.0, {broken}]."


def test_a_point_that_is_not_finite_is_refused():
    with pytest.raises(FrontError, match="point 0 is not finite"):
        hypervolume([[float("nan"), 0.5]], [1, 1])


class TestAgainstAnotherFront:
    FRONT = np.array([[0.0, 4.0], [2.0, 2.0], [4.0, 0.0]])

    def test_a_front_falls_short_of_itself_by_nothing(self):
        assert igd_plus(self.FRONT, self.FRONT) == 0
        assert additive_epsilon(self.FRONT, self.FRONT) == 0

    def test_what_dominates_has_something_to_spare(self):
        better = self.FRONT - 1
        assert igd_plus(better, self.FRONT) == 0
        assert additive_epsilon(better, self.FRONT) == -1

    def test_only_what_is_worse_is_measured(self):
        ours = [(0.0, 7.0), (4.0, 0.0)]
        # (0, 4) is missed by 3, (2, 2) by 2 from (4, 0), which is better in the other objective
        assert igd_plus(ours, self.FRONT) == pytest.approx((3 + 2 + 0) / 3)
        assert additive_epsilon(ours, self.FRONT) == pytest.approx(3)

    @given(seed=st.integers(0, 1000))
    def test_both_are_what_their_definitions_say(self, seed):
        draws = np.random.default_rng(seed)
        ours, theirs = draws.random((5, 3)), draws.random((4, 3))
        gaps = ours[:, None] - theirs
        far = np.sqrt((np.maximum(gaps, 0) ** 2).sum(2)).min(0).mean()
        assert igd_plus(ours, theirs) == pytest.approx(far)
        assert additive_epsilon(ours, theirs) == pytest.approx(gaps.max(2).min(0).max())

    @pytest.mark.parametrize("other", [np.empty((0, 2)), [[1.0, 2.0, 3.0]]])
    def test_sets_that_cannot_be_compared_are_refused(self, other):
        with pytest.raises(FrontError, match="need the same two or more objectives"):
            igd_plus(self.FRONT, other)


def test_a_hundred_thousand_points_in_three_objectives_are_filtered_in_a_moment():
    draws = np.random.default_rng(0).random((100_000, 3))
    points = 1 - draws / np.linalg.norm(draws, axis=1, keepdims=True)  # all on the front
    started = time.process_time()
    assert non_dominated(points).all()
    assert time.process_time() - started < 1


# Many objectives.


@pytest.mark.parametrize("count", [2, 16, 31, 32, 33, 40, 64])
def test_the_distance_to_another_front_is_right_for_any_number_of_objectives(count):
    """Below 0.3.2, moocore left objectives beyond the 31st out."""
    draw = np.random.default_rng(count)
    points, other = draw.random((12, count)), draw.random((9, count))
    short = np.maximum(points[None] - other[:, None], 0)
    distance = np.sqrt((short**2).sum(-1)).min(1).mean()
    assert igd_plus(points, other) == pytest.approx(distance)
    least = (points[None] - other[:, None]).max(-1).min(1).max()
    assert additive_epsilon(points, other) == pytest.approx(least)


@pytest.mark.parametrize("count", [6, 31])
def test_the_hypervolume_of_many_objectives_is_that_of_the_boxes(count):
    points = np.random.default_rng(0).random((3, count))
    assert is_exact(points, np.full(count, 2.0))
    expected = by_inclusion_and_exclusion(points, np.full(count, 2.0))
    assert hypervolume(points, np.full(count, 2.0)) == pytest.approx(expected)


@pytest.mark.parametrize("points", [np.zeros((2, 32)), np.full((2, 32), 9.0)])
def test_more_objectives_than_moocore_takes_are_refused(points):
    with pytest.raises(FrontError, match="at most 31 objectives, not 32") as raised:
        hypervolume(points, np.ones(32))
    assert raised.value.hint == "Name fewer objectives."


def test_where_the_exact_hypervolume_would_take_minutes_it_is_approximated():
    draw = np.random.default_rng(0)
    members = np.abs(draw.normal(size=(60, 10)))
    members = -members / np.linalg.norm(members, axis=1, keepdims=True)
    corner = np.zeros(10)
    assert not is_exact(members, corner)
    few = np.concatenate([members[:20], members[:20] / 2])
    assert is_exact(few, corner)  # of which 20 are members
    beyond = np.concatenate([few, members - 9 * (members == members.min(1, keepdims=True)) + 5])
    assert is_exact(beyond, corner)  # which counts for nothing
    found = hypervolume(members, corner)
    assert found == hypervolume(members, corner) > hypervolume(members[:20], corner)


def test_the_approximation_is_near_the_exact_hypervolume(monkeypatch):
    scores = -np.random.default_rng(0).uniform(20, 80, (40, 8))
    exact = hypervolume(scores, np.zeros(8))
    monkeypatch.setattr(indicators, "is_exact", lambda points, reference: False)
    assert hypervolume(scores, np.zeros(8)) == pytest.approx(exact, rel=5e-3)
    assert hypervolume(scores, np.zeros(8)) != exact
