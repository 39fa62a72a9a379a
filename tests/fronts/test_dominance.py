import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moat.errors import FrontError
from moat.fronts import dominance, dominated_by, non_dominated
from moat.fronts.dominance import as_points

# Few different values, so that equal points and equal coordinates are common.
few = st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)


@st.composite
def point_sets(draw, least: int = 0) -> np.ndarray:
    shape = (draw(st.integers(least, 12)), draw(st.integers(1, 4)))
    return draw(arrays(np.float64, shape, elements=few))


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    """Say whether a is nowhere worse than b and somewhere better, from the definition."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(
        x < y for x, y in zip(a, b, strict=True)
    )


def brute_force(points: np.ndarray) -> list[bool]:
    return [not any(dominates(rival, point) for rival in points) for point in points]


@given(points=point_sets())
def test_the_front_is_that_of_comparing_all_pairs(points):
    mask = non_dominated(points)
    assert mask.dtype == bool
    assert mask.tolist() == brute_force(points)


@given(points=point_sets(least=1))
def test_a_point_off_the_front_is_dominated_by_the_member_that_is_named(points):
    front, rivals = non_dominated(points), dominated_by(points)
    for row, rival in enumerate(rivals):
        assert (rival is None) == front[row]
        if rival is not None:
            assert front[rival]
            assert dominates(points[rival], points[row])
            earlier = [i for i in range(rival) if front[i] and dominates(points[i], points[row])]
            assert earlier == []


@given(points=point_sets(least=1), compared=st.integers(1, 40))
def test_the_member_that_is_named_does_not_depend_on_how_many_are_compared_at_once(
    points, compared
):
    named = dominated_by(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dominance, "COMPARED", compared)
        assert dominated_by(points) == named


def on_a_sphere(random: np.random.Generator, count: int, objectives: int) -> np.ndarray:
    """Return half of the points on a sphere, a front, the others each just behind one of them."""
    drawn = np.abs(random.normal(size=(count // 2, objectives)))
    front = -drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.concatenate([front, front + 1e-9])


def anywhere(random: np.random.Generator, count: int, objectives: int) -> np.ndarray:
    return random.random((count, objectives))


@pytest.mark.parametrize("objectives", [2, 3, 5])
@pytest.mark.parametrize(
    ("count", "points"), [(10_000, on_a_sphere), (10_000, anywhere), (100_000, anywhere)]
)
def test_very_many_points_take_less_than_a_second(count, points, objectives):
    made = points(np.random.default_rng(0), count, objectives)
    began = time.process_time()  # other work on the machine is not ours
    named = dominated_by(made)
    assert time.process_time() - began < 1
    on_front = non_dominated(made)
    assert [name is None for name in named] == on_front.tolist()
    for row in range(0, count, count // 50):
        better = (made <= made[row]).all(1) & (made < made[row]).any(1) & on_front
        assert named[row] == (int(better.argmax()) if better.any() else None)


@given(points=point_sets(least=1), seed=st.integers(0, 1000))
def test_the_order_of_the_points_does_not_matter(points, seed):
    order = np.random.default_rng(seed).permutation(len(points))
    assert (non_dominated(points[order]) == non_dominated(points)[order]).all()


def test_equal_points_are_kept_together():
    assert non_dominated([[0, 0], [0, 0], [1, 1]]).tolist() == [True, True, False]
    assert dominated_by([[0, 0], [0, 0], [1, 1]]) == [None, None, 0]


def test_points_that_differ_by_a_hair_are_told_apart():
    assert non_dominated([[1.0, 1.0], [1.0, 1.0 + 1e-15]]).tolist() == [True, False]


def test_of_no_points_there_is_no_front():
    assert non_dominated(np.empty((0, 2))).tolist() == []
    assert dominated_by(np.empty((0, 3))) == []


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("ask", [as_points, non_dominated, dominated_by])
def test_a_point_that_is_not_finite_is_refused_by_its_number(ask, broken):
    with pytest.raises(FrontError) as raised:
        ask([[0, 1], [1, broken], [broken, 0]])
    assert raised.value.message == f"point 1 is not finite: [1.0, {broken}]."
    assert raised.value.hint == "Evaluate it again, or leave it out."


def test_a_point_that_is_not_finite_is_refused_by_its_name():
    with pytest.raises(FrontError, match=r"^max-at is not finite: \[nan, 1.0\]"):
        as_points([[0, 1], [float("nan"), 1]], names=["natural", "max-at"])


@pytest.mark.parametrize("points", [[1.0, 2.0], [], [[[1.0]]]])
def test_points_are_a_matrix(points):
    with pytest.raises(FrontError) as raised:
        non_dominated(points)
    shape = np.asarray(points).shape
    assert raised.value.message == (
        f"points are a matrix (points, objectives), not of shape {shape}."
    )
