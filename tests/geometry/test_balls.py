import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry.balls import LinfBall, draw

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


def boxed(x: torch.Tensor, epsilon: float) -> LinfBall:
    return LinfBall(epsilon, step_size=0.1, low=-x, high=1 - x)


@given(seed=seeds, epsilon=radii)
def test_a_projection_lies_in_the_ball_and_keeps_the_image_in_its_box(seed, epsilon):
    x = images(seed)
    w = boxed(x, epsilon).project(anywhere(seed))
    assert w.abs().max() <= epsilon
    assert (x + w).min() >= 0
    assert (x + w).max() <= 1 + 1e-15


@given(seed=seeds, epsilon=radii)
def test_a_member_is_its_own_projection(seed, epsilon):
    ball = boxed(images(seed), epsilon)
    member = ball.project(anywhere(seed))
    assert torch.equal(ball.project(member), member)


@given(seed=seeds, epsilon=radii)
def test_no_member_lies_nearer_than_the_projection(seed, epsilon):
    ball, w = boxed(images(seed), epsilon), anywhere(seed)
    nearest = ball.project(w)
    for other in range(5):
        member = ball.project(anywhere(seed + 7 * other + 1))
        assert ((nearest - w).norm() <= (member - w).norm() + 1e-12).item()


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
    steepest = LinfBall(1.0, 0.1).steepest(gradient)
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


@given(seed=seeds, epsilon=radii)
def test_a_sample_is_a_member_and_its_generator_decides_it(seed, epsilon):
    ball, like = boxed(images(seed), epsilon), images(seed)
    first, again = (ball.sample(like, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert first.dtype == like.dtype
    assert torch.equal(first, again)
    assert torch.equal(ball.project(first), first)


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


@given(seed=seeds, epsilon=radii, share=st.floats(0.01, 1))
def test_a_scaled_ball_has_that_share_of_radius_and_step_and_the_same_box(seed, epsilon, share):
    x = images(seed)
    ball, small = boxed(x, epsilon), boxed(x, epsilon).scaled(share)
    assert small.epsilon == pytest.approx(share * epsilon)
    assert small.step_size == pytest.approx(share * ball.step_size)
    assert torch.equal(
        small.project(anywhere(seed)), boxed(x, share * epsilon).project(anywhere(seed))
    )
