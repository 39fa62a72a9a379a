"""What every ball promises, and the numbers of the l∞ ball."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry.balls import Ball, LinfBall, draw
from moat.geometry.l1_ball import L1Ball
from moat.geometry.l2_ball import L2Ball

seeds = st.integers(0, 2**31)
radii = st.floats(0.01, 2)


def images(seed: int) -> torch.Tensor:
    """Pixels in [0, 1], some exactly at the ends."""
    generator = torch.Generator().manual_seed(seed)
    return (1.4 * torch.rand(3, 1, 4, 5, generator=generator, dtype=torch.float64) - 0.2).clamp(
        0, 1
    )


def anywhere(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    return 3 * torch.randn(3, 1, 4, 5, generator=generator, dtype=torch.float64)


BALLS = [LinfBall, L2Ball, L1Ball]
NORMS = {LinfBall: float("inf"), L2Ball: 2, L1Ball: 1}
every_ball = pytest.mark.parametrize("cls", BALLS)
every_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def boxed(x: torch.Tensor, epsilon: float, cls: type[Ball] = LinfBall) -> Ball:
    return cls(epsilon, step_size=0.1, low=-x, high=1 - x)


def lengths(cls: type[Ball], w: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(w.flatten(1), NORMS[cls], dim=1)


def rounding(dtype: torch.dtype) -> float:
    return 16 * torch.finfo(dtype).eps  # of numbers up to about 10


@every_ball
@every_type
@given(seed=seeds, epsilon=radii)
def test_a_projection_lies_in_the_ball_and_keeps_the_image_in_its_box(cls, dtype, seed, epsilon):
    x = images(seed).to(dtype)
    w = boxed(x, epsilon, cls).project(anywhere(seed).to(dtype))
    assert w.dtype == dtype
    assert lengths(cls, w).max() <= epsilon + rounding(dtype)
    assert (w >= -x).all()
    assert (w <= 1 - x).all()


@every_ball
@given(seed=seeds, epsilon=radii)
def test_the_length_of_a_block_is_its_norm_an_example_at_a_time(cls, seed, epsilon):
    w = anywhere(seed)
    found = boxed(images(seed), epsilon, cls).length(w)
    torch.testing.assert_close(found, lengths(cls, w), rtol=1e-14, atol=0)


@every_ball
@every_type
@given(seed=seeds, epsilon=radii)
def test_a_member_is_its_own_projection(cls, dtype, seed, epsilon):
    ball = boxed(images(seed).to(dtype), epsilon, cls)
    for w in (anywhere(seed), 1e-3 * epsilon * anywhere(seed)):
        member = ball.project(w.to(dtype))
        torch.testing.assert_close(ball.project(member), member, rtol=0, atol=rounding(dtype))


@pytest.mark.parametrize("cls", [LinfBall, L1Ball])
@given(seed=seeds, epsilon=radii)
def test_no_member_lies_nearer_than_the_projection(cls, seed, epsilon):
    """The variational inequality, of which the other is a consequence."""
    ball, w = boxed(images(seed), epsilon, cls), anywhere(seed)
    nearest = ball.project(w)
    for other in range(5):
        member = ball.project(anywhere(seed + 7 * other + 1))
        angles = ((w - nearest) * (member - nearest)).flatten(1).sum(1)
        assert (angles <= 1e-12).all()
        assert ((nearest - w).norm() <= (member - w).norm() + 1e-12).item()


@every_ball
@every_type
@pytest.mark.parametrize("size", [1, 1e-30, 1e30])
@given(seed=seeds)
def test_the_steepest_direction_has_unit_norm_and_climbs(cls, dtype, size, seed):
    gradient = size * anywhere(seed).to(dtype)
    steepest = cls(1.0, 0.1).steepest(torch.zeros_like(gradient), gradient)
    ones = torch.ones(3, dtype=dtype)
    torch.testing.assert_close(lengths(cls, steepest), ones, rtol=0, atol=rounding(dtype))
    assert ((steepest * gradient).flatten(1).sum(1) > 0).all()


@every_ball
@given(seed=seeds, epsilon=radii)
def test_an_example_without_a_gradient_stays_where_it_is_beside_others_that_move(
    cls, seed, epsilon
):
    ball, gradient = boxed(images(seed), epsilon, cls), anywhere(seed)
    gradient[1] = 0
    member = ball.sample(gradient, torch.Generator().manual_seed(seed))
    stepped = ball.step(member, gradient)
    torch.testing.assert_close(stepped[1], member[1], rtol=0, atol=1e-14)
    assert not torch.equal(stepped[0], member[0])


@every_ball
@given(seed=seeds, epsilon=radii)
def test_an_example_is_the_same_alone_as_in_a_batch(cls, seed, epsilon):
    x, w, gradient = images(seed), anywhere(seed), anywhere(seed + 1)
    together = boxed(x, epsilon, cls)
    stepped = together.step(together.project(w), gradient)
    for row in range(3):
        only = slice(row, row + 1)
        alone = boxed(x[only], epsilon, cls)
        own = alone.step(alone.project(w[only]), gradient[only])
        torch.testing.assert_close(own, stepped[only], rtol=0, atol=1e-14)


@every_ball
@pytest.mark.parametrize("shape", [(0, 3), (4,), (4, 1), (4, 2, 3), (2, 3, 4, 5)])
def test_a_block_has_the_batch_first_and_then_any_shape(cls, shape):
    ball, w = cls(0.5, 0.1), torch.full(shape, 2.0, dtype=torch.float64)
    for found in (ball.project(w), ball.steepest(ball.project(w), w), ball.sample(w, None)):
        assert (found.shape, found.dtype) == (w.shape, w.dtype)
        assert found.isfinite().all()
    if len(w):
        assert lengths(cls, ball.project(w).view(len(w), -1)).max() == pytest.approx(0.5)


@every_ball
@every_type
@given(seed=seeds, epsilon=radii)
def test_a_sample_is_a_member_and_its_generator_decides_it(cls, dtype, seed, epsilon):
    ball, like = boxed(images(seed).to(dtype), epsilon, cls), images(seed).to(dtype)
    first, again = (ball.sample(like, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert first.dtype == like.dtype
    assert torch.equal(first, again)
    torch.testing.assert_close(ball.project(first), first, rtol=0, atol=rounding(dtype))


@every_ball
@given(seed=seeds, epsilon=radii, share=st.floats(0.01, 1))
def test_a_scaled_ball_has_that_share_of_radius_and_step_and_the_same_box(
    cls, seed, epsilon, share
):
    x = images(seed)
    ball, small = boxed(x, epsilon, cls), boxed(x, epsilon, cls).scaled(share)
    assert small.epsilon == pytest.approx(share * epsilon)
    assert small.step_size == pytest.approx(share * ball.step_size)
    expected = boxed(x, share * epsilon, cls).project(anywhere(seed))
    assert torch.equal(small.project(anywhere(seed)), expected)


def test_without_a_box_only_the_radius_holds():
    w = torch.tensor([[-3.0, -0.1, 0.0, 0.2, 5.0]], dtype=torch.float64)
    assert LinfBall(0.3, 0.1).project(w).tolist() == [[-0.3, -0.1, 0, 0.2, 0.3]]


@pytest.mark.parametrize("side", ["low", "high"])
def test_a_box_may_be_open_on_one_side(side):
    w = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    bound = torch.zeros_like(w)
    ball = LinfBall(0.5, 0.1, **{side: bound})
    assert ball.project(w).tolist() == ([[0, 0.5]] if side == "low" else [[-0.5, 0]])


@given(seed=seeds)
def test_no_direction_of_norm_one_climbs_faster_than_the_steepest(seed):
    gradient, other = anywhere(seed), anywhere(seed + 1)
    steepest = LinfBall(1.0, 0.1).steepest(torch.zeros_like(gradient), gradient)
    assert steepest.abs().max() == 1
    rival = other / other.abs().max()
    assert (steepest * gradient).sum() >= (rival * gradient).sum()


def test_an_entry_without_a_gradient_stays_where_it_is():
    w = torch.tensor([[0.2, 0.2, 0.2]])
    stepped = LinfBall(1.0, 0.5).step(w, torch.tensor([[0.0, 3.0, -1e-30]]))
    torch.testing.assert_close(stepped, torch.tensor([[0.2, 0.7, -0.3]]))


@given(seed=seeds, epsilon=radii)
def test_a_step_is_a_sign_step_then_two_clamps(seed, epsilon):
    x, gradient = images(seed), anywhere(seed)
    w = torch.zeros_like(x)
    for _ in range(4):
        expected = torch.clamp(x + (w + 0.1 * gradient.sign()).clamp(-epsilon, epsilon), 0, 1) - x
        w = boxed(x, epsilon).step(w, gradient)
        torch.testing.assert_close(w, expected, rtol=0, atol=1e-15)


def test_samples_fill_the_radius_evenly():
    like = torch.empty(20, 1, 20, 20)
    drawn = LinfBall(2.0, 0.1).sample(like, torch.Generator().manual_seed(0))
    assert drawn.abs().max() <= 2
    shares = torch.histc(drawn, bins=4, min=-2, max=2) / drawn.numel()
    torch.testing.assert_close(shares, torch.full((4,), 0.25), rtol=0, atol=0.02)


@pytest.mark.parametrize("sampler", [torch.rand, torch.randn])
def test_a_draw_from_a_generator_leaves_the_global_random_state_alone(sampler):
    before = torch.get_rng_state()
    draw(sampler, torch.empty(2, 3), torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_draw_without_a_generator_is_the_global_one():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        drawn = draw(torch.randn, torch.empty(2, 3, dtype=torch.float64), None)
        torch.manual_seed(5)
        assert torch.equal(drawn, torch.randn(2, 3, dtype=torch.float64))
