"""The l1 ball cut by a box: the exact projection, and steps along few entries."""

from collections.abc import Iterator
from unittest.mock import patch

import cvxopt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry.l1_ball import L1Ball

seeds = st.integers(0, 2**31)
radii = st.floats(0.01, 10)
scales = st.sampled_from([0.1, 1.0, 10.0])


def case(seed: int, epsilon: float, scale: float = 1.0) -> tuple[torch.Tensor, L1Ball]:
    """Return a w (3, 2, 7) and a ball whose box blocks some entries on one side or on both."""
    generator = torch.Generator().manual_seed(seed)
    w, low, high = torch.randn(3, 3, 2, 7, generator=generator, dtype=torch.float64)
    low, high = (side.abs().sub(0.3).clamp(min=0) for side in (low, high))
    return scale * w, L1Ball(epsilon, 0.1, low=-low, high=high)


def examples_of(ball: L1Ball, *blocks: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield low, high and the blocks, flat, an example at a time."""
    parts = (part.flatten(1) for part in (ball.low, ball.high, *blocks))
    yield from zip(*parts, strict=True)


def highest(
    direction: torch.Tensor, low: torch.Tensor, high: torch.Tensor, epsilon: float
) -> float:
    """Return the largest inner product with the direction in the set: fill the steepest first."""
    total, left = 0.0, epsilon
    for place in direction.abs().argsort(descending=True).tolist():
        slope = direction[place].item()
        spent = min(left, (high if slope > 0 else -low)[place].item())
        total, left = total + abs(slope) * spent, left - spent
    return total


def nearest_by_cvxopt(
    w: torch.Tensor, low: torch.Tensor, high: torch.Tensor, epsilon: float
) -> torch.Tensor:
    """Minimise |u - w|² / 2 over u and t with |u| ≤ t, Σt ≤ ε and u in the box."""
    n, one, none = len(w), torch.eye(len(w)), torch.zeros(len(w), len(w))
    quadratic = torch.block_diag(one, none)
    sides = [(one, -one), (-one, -one), (one, none), (-one, none)]
    total = torch.cat([torch.zeros(1, n), torch.ones(1, n)], 1)
    left = torch.cat([*(torch.cat(side, 1) for side in sides), total])
    right = torch.cat([torch.zeros(2 * n).to(w), high, -low, torch.tensor([epsilon]).to(w)])
    linear = torch.cat([-w, torch.zeros_like(w)])
    program = [
        cvxopt.matrix(part.double().numpy().reshape(len(part), -1))
        for part in (quadratic, linear, left, right)
    ]
    options = {"show_progress": False, "abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12}
    found = cvxopt.solvers.qp(*program, options=options)["x"]
    return torch.tensor(list(found), dtype=w.dtype)[:n]


@given(seed=seeds, epsilon=radii, scale=scales)
def test_no_member_lies_nearer_than_the_projection(seed, epsilon, scale):
    w, ball = case(seed, epsilon, scale)
    for low, high, one, end in examples_of(ball, w, ball.project(w)):
        beyond = one - end
        assert highest(beyond, low, high, epsilon) - (beyond @ end).item() <= 1e-12 * scale


@given(seed=seeds, epsilon=radii, scale=scales)
def test_the_projection_is_that_of_a_quadratic_program(seed, epsilon, scale):
    w, ball = case(seed, epsilon, scale)
    for low, high, one, end in examples_of(ball, w, ball.project(w)):
        expected = nearest_by_cvxopt(one, low, high, epsilon)
        torch.testing.assert_close(end, expected, rtol=0, atol=1e-5)


def test_neither_order_of_the_two_projections_finds_the_nearest_point():
    w, high = torch.tensor([[3.0, 2.0]]), torch.tensor([[1.0, 1.0]])
    radius, both = L1Ball(1.5, 0.1), L1Ball(1.5, 0.1, high=high)
    assert both.project(w).tolist() == [[1, 0.5]]
    assert radius.project(w).clamp(max=high).tolist() == [[1, 0.25]]
    assert radius.project(w.clamp(max=high)).tolist() == [[0.75, 0.75]]


def test_where_the_radius_does_not_bind_only_the_box_holds():
    w, high = torch.tensor([[3.0, -0.5, 0.0]]), torch.ones(1, 3)
    assert L1Ball(2.0, 0.1, high=high).project(w).tolist() == [[1, -0.5, 0]]
    assert L1Ball(1.5, 0.1, high=high).project(w).tolist() == [[1, -0.5, 0]]


@given(seed=seeds, epsilon=st.sampled_from([0.5, 12.0, 200.0]))
def test_in_float32_a_photograph_is_projected_to_rounding(seed, epsilon):
    generator = torch.Generator().manual_seed(seed)
    w, x = torch.rand(2, 1, 3, 64, 64, generator=generator)
    w = 0.4 * w - 0.2
    found = L1Ball(epsilon, 0.1, low=-x, high=1 - x).project(w)
    x, w = x.double(), w.double()
    expected = L1Ball(epsilon, 0.1, low=-x, high=1 - x).project(w)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=5e-8)
    # Every entry is lowered by one number, which is as exact as w is.
    lost = (found != 0).sum().item() * 0.2 * torch.finfo(torch.float32).eps
    assert abs(found.double().abs().sum().item() - epsilon) <= lost


def test_one_step_moves_the_steepest_twentieth_of_all_entries_in_equal_parts():
    gradient = torch.linspace(-1, 2, 100).view(1, 4, 25)
    direction = L1Ball(1.0, 0.1).steepest(torch.zeros(1, 4, 25), gradient)
    torch.testing.assert_close(direction.flatten()[95:], torch.full((5,), 0.2))
    assert not direction.flatten()[:95].any()


@pytest.mark.parametrize(("sparsity", "count"), [(1e-9, 1), (0.5, 50), (1.0, 100)])
def test_the_share_can_be_any_down_to_one_entry(sparsity, count):
    gradient = torch.linspace(-2, -1, 100).view(1, 100)
    direction = L1Ball(1.0, 0.1, sparsity=sparsity).steepest(torch.zeros(1, 100), gradient)
    assert (direction < 0).sum() == count
    assert direction.sum().item() == pytest.approx(-1)


@given(seed=seeds, epsilon=radii)
def test_of_a_few_entries_the_steepest_that_can_move_moves_alone(seed, epsilon):
    gradient, ball = case(seed, epsilon)
    w = ball.project(10 * gradient.roll(1, 0))
    direction = ball.steepest(w, gradient)
    for low, high, at, slope, step in examples_of(ball, w, gradient, direction):
        room = torch.where(slope > 0, high - at, at - low)
        assert (step != 0).sum() == 1
        assert (step @ slope).item() == slope.abs()[room > 0].max().item()


def test_an_entry_at_its_limit_may_still_move_back():
    high = torch.ones(1, 3)
    ball = L1Ball(9.0, 0.1, low=-high, high=high)
    w = torch.tensor([[1.0, -1.0, 0.0]])
    assert ball.steepest(w, torch.tensor([[3.0, -2.0, 1.0]])).tolist() == [[0, 0, 1]]
    assert ball.steepest(w, torch.tensor([[-3.0, -2.0, 1.0]])).tolist() == [[-1, 0, 0]]
    assert ball.steepest(w, torch.tensor([[3.0, -2.0, 0.0]])).tolist() == [[0, 0, 0]]


def test_where_fewer_can_move_than_the_share_only_those_do():
    gradient = torch.zeros(1, 100)
    gradient[0, :2] = torch.tensor([1.0, -2.0])
    direction = L1Ball(1.0, 0.1).steepest(torch.zeros(1, 100), gradient)
    assert direction[0, :2].tolist() == [0.5, -0.5]
    assert not direction[0, 2:].any()


def test_samples_fill_the_ball_evenly():
    like = torch.empty(20_000, 3)
    drawn = L1Ball(2.0, 0.1).sample(like, torch.Generator().manual_seed(0))
    shares = (drawn.abs().sum(1) / 2) ** 3  # of the volume within: uniform in [0, 1]
    assert shares.max() <= 1 + 1e-5
    parts = torch.histc(shares, bins=4, min=0, max=1) / len(like)
    torch.testing.assert_close(parts, torch.full((4,), 0.25), rtol=0, atol=0.02)
    torch.testing.assert_close(
        (drawn > 0).float().mean(0), torch.full((3,), 0.5), rtol=0, atol=0.02
    )


@pytest.mark.parametrize("number", [0.0, 0.5, 1 - 2**-24])
def test_every_number_that_rand_can_draw_gives_a_member(number):
    like = torch.empty(2, 4)
    with patch("moat.geometry.l1_ball.draw") as drawn:
        drawn.return_value = torch.full((2, 5), number)
        drawn.return_value[:, 0] = 0.3
        sample = L1Ball(2.0, 0.1).sample(like, None)
    assert sample.isfinite().all()
    assert sample.abs().sum(1).max() <= 2 + 1e-5
