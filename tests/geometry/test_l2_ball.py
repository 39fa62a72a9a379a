"""The Euclidean ball: lengths, an example at a time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry.l2_ball import L2Ball

seeds = st.integers(0, 2**31)
radii = st.floats(0.01, 5)


def anywhere(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, 2, 4, generator=generator, dtype=torch.float64)


@given(seed=seeds, epsilon=radii)
def test_without_a_box_no_member_lies_nearer_than_the_projection(seed, epsilon):
    w = anywhere(seed)
    nearest = L2Ball(epsilon, 0.1).project(w)
    for one, end in zip(w, nearest, strict=True):
        beyond = one - end
        # Of all members, epsilon · beyond / |beyond| has the largest inner product with beyond.
        assert epsilon * beyond.norm() - (beyond * end).sum() <= 1e-12


@given(seed=seeds, epsilon=radii)
def test_a_box_clips_what_the_radius_has_shortened(seed, epsilon):
    w, low, high = anywhere(seed), -anywhere(seed + 1).abs(), anywhere(seed + 2).abs()
    low[0, 0] = high[1, 1] = 0
    found = L2Ball(epsilon, 0.1, low=low, high=high).project(w)
    for row, one in enumerate(w):
        shortened = one * epsilon / one.norm() if one.norm() > epsilon else one
        clipped = shortened.clamp(low[row], high[row])
        torch.testing.assert_close(found[row], clipped, rtol=0, atol=1e-15)


@given(seed=seeds)
def test_no_direction_of_length_one_climbs_faster_than_the_steepest(seed):
    gradient, other = anywhere(seed), anywhere(seed + 1)
    steepest = L2Ball(1.0, 0.1).steepest(other, gradient)
    for along, direction, rival in zip(gradient, steepest, other, strict=True):
        assert (direction * along).sum().item() == pytest.approx(along.norm().item())
        assert (direction * along).sum() >= (rival / rival.norm() * along).sum()


def test_a_gradient_whose_square_underflows_has_a_direction():
    gradient = torch.tensor([[3e-30, 4e-30], [0, 0]])
    steepest = L2Ball(1.0, 0.1).steepest(torch.zeros(2, 2), gradient)
    torch.testing.assert_close(steepest, torch.tensor([[0.6, 0.8], [0, 0]]))


def test_a_step_is_step_size_long_until_the_radius_holds_it():
    w, gradient = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
    for expected in ([0.6, 0.8], [0.9, 1.2], [0.9, 1.2]):
        w = L2Ball(1.5, 1.0).step(w, gradient)
        torch.testing.assert_close(w, torch.tensor([expected]))


def test_samples_fill_the_ball_evenly():
    like = torch.empty(20_000, 3)
    drawn = L2Ball(2.0, 0.1).sample(like, torch.Generator().manual_seed(0))
    shares = (drawn.norm(dim=1) / 2) ** 3  # of the volume within: uniform in [0, 1]
    assert shares.max() <= 1 + 1e-5
    parts = torch.histc(shares, bins=4, min=0, max=1) / len(like)
    torch.testing.assert_close(parts, torch.full((4,), 0.25), rtol=0, atol=0.02)
    torch.testing.assert_close(
        (drawn > 0).float().mean(0), torch.full((3,), 0.5), rtol=0, atol=0.02
    )
